//! Schedules of Application Auto Scaling: `cron`, `rate`, `at`, and the time zone they are meant in.
//!
//! Formats: Application Auto Scaling API, PutScheduledAction, `Schedule` and `Timezone`. Fields of cron: EventBridge User
//! Guide, "Cron expressions reference", to which Application Auto Scaling's guide refers (D).

use crate::diagnostic::{did_you_mean, shown};

use super::Problem;

/// Names of time zones in the IANA database, release 2025b: zones and links. The service accepts the canonical
/// names of those that Joda-Time knows; whether it refuses links is not documented, so they are accepted.
const ZONES: &str = include_str!("zones.txt");

/// One of the six fields.
struct CronField {
    name: &'static str,
    least: u32,
    most: u32,
    /// Names of its values from `least` on.
    names: &'static [&'static str],
    /// May it have `/`? The documented day of the week has none.
    steps: bool,
}

const MONTHS: &[&str] = &["JAN", "FEB", "MAR", "APR", "MAY", "JUN", "JUL", "AUG", "SEP", "OCT", "NOV", "DEC"];
const WEEKDAYS: &[&str] = &["SUN", "MON", "TUE", "WED", "THU", "FRI", "SAT"];

const FIELDS: [CronField; 6] = [
    CronField { name: "minute", least: 0, most: 59, names: &[], steps: true },
    CronField { name: "hour", least: 0, most: 23, names: &[], steps: true },
    CronField { name: "day of the month", least: 1, most: 31, names: &[], steps: true },
    CronField { name: "month", least: 1, most: 12, names: MONTHS, steps: true },
    CronField { name: "day of the week", least: 1, most: 7, names: WEEKDAYS, steps: false },
    CronField { name: "year", least: 1970, most: 2199, names: &[], steps: true },
];
const DAY: usize = 2;
const MONTH: usize = 3;
const WEEKDAY: usize = 4;

/// A cron expression with one space between its fields, which are "separated by white spaces". (D)
pub fn single_spaced(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// What is wrong with the six fields of a cron expression.
pub fn cron(text: &str) -> Vec<Problem> {
    if let Some(fields) = text.strip_prefix("cron(") {
        let help = format!("write `{}`", shown(fields.trim_end_matches(')')));
        return vec![Problem::new("a cron expression is written here without `cron()`").help(help)];
    }
    let parts: Vec<&str> = text.split_whitespace().collect();
    let Ok(parts) = <[&str; 6]>::try_from(parts) else {
        return vec![Problem::new("a cron expression has six fields, separated by spaces")];
    };
    let mut problems: Vec<Problem> = days(parts).into_iter().collect();
    for (at, (field, part)) in FIELDS.iter().zip(parts).enumerate() {
        let any = part == "?" && (at == DAY || at == WEEKDAY);
        problems.extend(if any { None } else { field.check(at, part) });
    }
    problems
}

/// Why a cron expression would never run: its months are all shorter than its first day. Whether the service refuses such an
/// expression is not documented.
pub fn never(text: &str) -> Option<Problem> {
    let parts =
        <[&str; 6]>::try_from(text.split_whitespace().collect::<Vec<_>>()).ok().filter(|_| cron(text).is_empty())?;
    let first = FIELDS[DAY].starts(parts[DAY])?.into_iter().min()?;
    let months = FIELDS[MONTH].starts(parts[MONTH])?;
    let longest = months.iter().map(|month| days_in(2000, *month)).max()?;
    (first > longest).then(|| Problem::new(format!("no month in `{}` has a day {first}", shown(parts[MONTH]))))
}

/// Exactly one of the two day fields is `?`: a value or `*` in one asks for `?` in the other.
fn days(parts: [&str; 6]) -> Option<Problem> {
    let (day, weekday) = (parts[DAY], parts[WEEKDAY]);
    if (day == "?") != (weekday == "?") {
        return None;
    }
    let message = format!(
        "exactly one of day of the month and day of the week must be `?`, not `{}` and `{}`",
        shown(day),
        shown(weekday)
    );
    let with = |at: usize, mark: &'static str| {
        let mut parts = parts;
        parts[at] = mark;
        format!("write `{}`", shown(&parts.join(" ")))
    };
    Some(Problem::new(message).help(match (day, weekday) {
        ("?", _) => with(DAY, "*"),
        (_, "*") => with(WEEKDAY, "?"),
        ("*", _) => with(DAY, "?"),
        _ => "set one of them, and `?` for the other; for both, write two schedules".to_owned(),
    }))
}

impl CronField {
    /// The plain values of a part; nothing where anything else is in it.
    fn starts(&self, part: &str) -> Option<Vec<u32>> {
        part.split(',').map(|item| self.value(item).ok()).collect()
    }

    fn check(&self, at: usize, part: &str) -> Option<Problem> {
        // "You can define only one expression in the day-of-week field" with `#`. (D)
        if part.contains('#') && part.contains(',') {
            return Some(Problem::new(format!("`{}`: `#` selects a single day and cannot be in a list", shown(part))));
        }
        if let Some((day, _)) = part.split_once('#').filter(|(day, _)| at == WEEKDAY && self.value(day).is_ok())
            && !self.is_special(at, part)
        {
            let help = format!("write `{0}#1` to `{0}#5`", shown(day));
            return Some(Problem::new(format!("no month has the weekday `{}`", shown(part))).help(help));
        }
        part.split(',').find_map(|item| self.item(at, item))
    }

    fn item(&self, at: usize, item: &str) -> Option<Problem> {
        let (range, step) = item.split_once('/').map_or((item, None), |(range, step)| (range, Some(step)));
        if let Some(step) = step {
            let takes = plain_number(step).is_some_and(|step| (1..=self.most).contains(&step));
            if !self.steps || !takes {
                return Some(Problem::new(format!("the {} cannot have the step `/{}`", self.name, shown(step))));
            }
        }
        if range == "*" || step.is_none() && self.is_special(at, range) {
            return None;
        }
        let Some((from, to)) = range.split_once('-') else { return self.value(range).err() };
        match (self.value(from), self.value(to)) {
            // Whether the service accepts a range over the end is not documented; it is refused.
            (Ok(from), Ok(to)) if from > to => Some(self.backwards(range)),
            (Ok(_), Ok(_)) => None,
            (Err(problem), _) | (_, Err(problem)) => Some(problem),
        }
    }

    /// `L` and `W` among days of the month; `L` and `#` among days of the week (D). `L-3`, which Quartz has, is refused: neither
    /// the guide nor a report says that the service accepts it.
    fn is_special(&self, at: usize, text: &str) -> bool {
        let is_value = |text: &str| self.value(text).is_ok();
        match at {
            DAY => ["L", "LW"].contains(&text) || text.strip_suffix('W').is_some_and(is_value),
            WEEKDAY => {
                let nth = |(day, nth): (&str, &str)| is_value(day) && matches!(nth, "1" | "2" | "3" | "4" | "5");
                text == "L" || text.strip_suffix('L').is_some_and(is_value) || text.split_once('#').is_some_and(nth)
            }
            _ => false,
        }
    }

    /// Lower-case names are accepted: neither the guide nor a report says whether the service refuses them.
    fn value(&self, text: &str) -> Result<u32, Problem> {
        let named = self.names.iter().position(|name| name.eq_ignore_ascii_case(text));
        let number = named.map(|at| self.least + at as u32).or_else(|| plain_number(text));
        number.filter(|number| (self.least..=self.most).contains(number)).ok_or_else(|| self.refuse(text))
    }

    fn refuse(&self, text: &str) -> Problem {
        let Self { name, least, most, names, .. } = self;
        let named = match names {
            [first, .., last] => format!(" or {first} to {last}"),
            _ => String::new(),
        };
        let problem = Problem::new(format!("the {name} must be {least} to {most}{named}, not `{}`", shown(text)));
        let short: String = text.chars().take(3).collect();
        match did_you_mean(&short, names.iter().copied()).filter(|_| plain_number(text).is_none()) {
            Some(near) => problem.help(format!("did you mean `{near}`?")),
            None if *names == WEEKDAYS => problem.help("1 is Sunday and 7 is Saturday"),
            None => problem,
        }
    }

    fn backwards(&self, range: &str) -> Problem {
        let Self { name, least, most, .. } = self;
        let problem = Problem::new(format!("the range `{}` of the {name} is backwards", shown(range)));
        let Some((from, to)) = range.split_once('-') else { return problem };
        let [first, last] = match self.names {
            [first, .., last] => [(*first).to_owned(), (*last).to_owned()],
            _ => [least.to_string(), most.to_string()],
        };
        problem.help(format!("write `{}-{last},{first}-{}`", shown(from), shown(to)))
    }
}

fn plain_number(text: &str) -> Option<u32> {
    let plain = (1..=4).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_digit());
    text.parse().ok().filter(|_| plain)
}

/// What is wrong with a rate: the value is positive, and the unit singular for 1 alone (D).
pub fn rate(text: &str) -> Option<Problem> {
    let units = [("minute", "minutes"), ("hour", "hours"), ("day", "days")];
    let number = |value: &str| value.parse::<u32>().ok().filter(|_| value.bytes().all(|byte| byte.is_ascii_digit()));
    let parsed = text.split_once(' ').and_then(|(value, unit)| Some((number(value)?, unit)));
    let Some((value, unit)) = parsed else { return Some(Problem::new("a rate is a number, a space and a unit")) };
    let Some((one, several)) = units.into_iter().find(|(one, several)| unit == *one || unit == *several) else {
        return Some(
            Problem::new(format!("`{}` is not a unit of a rate", shown(unit)))
                .help("units are minutes, hours and days"),
        );
    };
    match value {
        0 => Some(Problem::new(format!("a rate must be at least 1, not `{text}`")).help(format!("write `1 {one}`"))),
        1 if unit == several => {
            Some(Problem::new(format!("the unit after 1 must be `{one}`")).help(format!("write `1 {one}`")))
        }
        2.. if unit == one => Some(
            Problem::new(format!("the unit after {value} must be `{several}`"))
                .help(format!("write `{value} {several}`")),
        ),
        _ => None,
    }
}

/// Does it have the form `yyyy-mm-ddThh:mm:ss`, each part with all its digits?
pub fn has_moment_form(text: &str) -> bool {
    let model = b"0000-00-00T00:00:00";
    let fits = |(byte, model): (u8, &u8)| if *model == b'0' { byte.is_ascii_digit() } else { byte == *model };
    text.len() == model.len() && text.bytes().zip(model).all(fits)
}

/// What is wrong with a moment `yyyy-mm-ddThh:mm:ss`.
pub fn moment(text: &str) -> Option<Problem> {
    let numbers: Vec<u32> = text.split(['-', 'T', ':']).filter_map(|part| part.parse().ok()).collect();
    let (true, &[year, month, day, hour, minute, second]) = (has_moment_form(text), numbers.as_slice()) else {
        return Some(Problem::new("a moment is `yyyy-mm-ddThh:mm:ss`"));
    };
    let refuse = |message: String| Some(Problem::new(message));
    if !(1..=12).contains(&month) {
        return refuse(format!("`{text}`: no month {month}"));
    }
    let days = days_in(year, month);
    if !(1..=days).contains(&day) {
        return refuse(format!("`{text}`: that month has {days} days"));
    }
    if hour > 23 || minute > 59 || second > 59 {
        return refuse(format!("`{text}`: the time must be 00:00:00 to 23:59:59"));
    }
    None
}

fn days_in(year: u32, month: u32) -> u32 {
    let leap = year.is_multiple_of(4) && (!year.is_multiple_of(100) || year.is_multiple_of(400));
    match month {
        2 if leap => 29,
        2 => 28,
        4 | 6 | 9 | 11 => 30,
        _ => 31,
    }
}

/// What is wrong with the name of a time zone.
pub fn time_zone(name: &str) -> Option<Problem> {
    if ZONES.lines().any(|zone| zone == name) {
        return None;
    }
    let problem = Problem::new(format!("`{}` is not a time zone of the IANA database", shown(name)));
    let city = |zone: &&str| zone.rsplit_once('/').is_some_and(|(_, city)| city.eq_ignore_ascii_case(name));
    let abbreviation = name.len() <= 5 && name.bytes().all(|byte| byte.is_ascii_uppercase());
    let near = ZONES.lines().find(city).or_else(|| did_you_mean(name, ZONES.lines()));
    // The signs of `Etc/GMT+2` are the other way round, so that it is seldom what was meant.
    let guessed = |near: &&str| !abbreviation && (name.starts_with("Etc/") || !near.starts_with("Etc/GMT"));
    Some(match near.filter(guessed) {
        Some(near) => problem.help(format!("did you mean `{near}`?")),
        None => problem.help("use the name of a place, such as `Europe/Paris`, or `UTC`"),
    })
}

/// What is wrong with an expression as the service gets it: `cron(…)`, `rate(…)` or `at(…)`.
pub fn expression(text: &str) -> Option<Problem> {
    let inside = |form: &str| text.strip_prefix(form)?.strip_prefix('(')?.strip_suffix(')');
    if let Some(fields) = inside("cron") {
        return cron(fields).into_iter().next();
    }
    match (inside("rate"), inside("at")) {
        (Some(every), _) => rate(every),
        (None, Some(once)) => moment(once),
        (None, None) => Some(Problem::new("a schedule is cron(…), rate(…) or at(…)")),
    }
}

#[cfg(test)]
mod tests {
    use expect_test::{Expect, expect};

    use super::*;

    #[test]
    fn right_spellings_pass() {
        let crons = [
            "0 8 ? * MON-FRI *",
            "0/15 * * * ? *",
            "*/10 6-22/2 * * ? 2027-2030",
            "0 0 L * ? *",
            "0 0 3W * ? *",
            "0 0 LW * ? *",
            "15 10 ? * 6L 2026,2028",
            "0 8 ? JAN,MAR-JUN,12 FRI#2 *",
            "59 23 31 12 ? 2199",
            "0 7 ? * mon,3,SAT *",
            "0 7 1/5 * ? *",
        ];
        for text in crons {
            assert_eq!(cron(text), [], "{text}");
        }
        for text in ["1 minute", "5 minutes", "1 hour", "24 hours", "1 day", "7 days"] {
            assert_eq!(rate(text), None, "{text}");
        }
        for text in ["2028-02-29T00:00:00", "2000-02-29T23:59:59", "2026-12-31T12:30:00"] {
            assert_eq!(moment(text), None, "{text}");
        }
        for name in ["Europe/Paris", "UTC", "Etc/GMT+9", "America/Argentina/Buenos_Aires", "Asia/Calcutta", "EST"] {
            assert_eq!(time_zone(name), None, "{name}");
        }
    }

    fn told(problems: impl IntoIterator<Item = Problem>) -> String {
        let line = |Problem { message, help }: Problem| match help {
            Some(help) => format!("{message} ({help})\n"),
            None => format!("{message}\n"),
        };
        problems.into_iter().map(line).collect()
    }

    fn check(problems: impl IntoIterator<Item = Problem>, expect: Expect) {
        expect.assert_eq(&told(problems));
    }

    #[test]
    fn what_is_nearly_right_is_named() {
        check(
            cron("cron(0 8 ? * MON *)").into_iter().chain(cron("0 8 ? * MON#6 *")),
            expect![[r#"
                a cron expression is written here without `cron()` (write `0 8 ? * MON *`)
                no month has the weekday `MON#6` (write `MON#1` to `MON#5`)
            "#]],
        );
    }

    #[test]
    fn fields_may_be_several_blanks_apart() {
        for text in ["0  8 ?   * MON-FRI *", "0 8\t? * MON *"] {
            assert_eq!((cron(text), expression(&format!("cron({text})"))), (vec![], None), "{text}");
        }
        assert_eq!(single_spaced("0  8\t?   * MON-FRI *"), "0 8 ? * MON-FRI *");
        assert!(never("0 0  31 FEB ? *").is_some());
    }

    #[test]
    fn what_only_looks_like_a_number_is_refused() {
        let said = ["at(2027-x-01-31T08:00:00)", "at(2027-1-1T1:1:1)", "at(2027-01-31T08:00:+1)", "rate(+5 minutes)"];
        check(
            said.into_iter().filter_map(expression),
            expect![[r#"
                a moment is `yyyy-mm-ddThh:mm:ss`
                a moment is `yyyy-mm-ddThh:mm:ss`
                a moment is `yyyy-mm-ddThh:mm:ss`
                a rate is a number, a space and a unit
            "#]],
        );
    }

    #[test]
    fn a_day_that_no_month_has_never_comes() {
        for text in ["0 0 31 FEB ? *", "0 0 30,31 2 ? *", "0 0 31 APR,SEP,11 ? *"] {
            assert!(never(text).is_some(), "{text}");
        }
        for text in
            ["0 0 29 2 ? *", "0 0 31 FEB,MAR ? *", "0 0 1,31 4 ? *", "0 0 L 2 ? *", "0 0 31 2-3 ? *", "0 0 31 * ? *"]
        {
            assert_eq!(never(text), None, "{text}");
        }
    }

    #[test]
    fn what_no_field_takes_is_refused() {
        let crons = [
            "0 7 * * MON-FRI *",
            "0 7 1 * MON *",
            "0 7 ? * ? *",
            "0 7 * * * *",
            "? 7 ? * MON *",
            "60 24 32 13 ? 2200",
            "0 0 0 0 ? 1969",
            "0 7 ? * 0-5 *",
            "0 7 ? * FUNDAY *",
            "0 7 ? * MONDAY *",
            "0 22-6 * * ? *",
            "0 7 ? * FRI-MON *",
            "*/0 */90 * * ? *",
            "0 7 ? * MON/2 *",
            "0 7 ? * 3#6 *",
            "0 7 ? * 3#1,6#3 *",
            "0 7 2L * ? *",
            "0 7 ? * 3W *",
            "1,,2 7 ? * MON *",
            "-5 1- * * ? *",
            "0 7 ? * MON",
        ];
        let problems = crons.into_iter().flat_map(cron);
        check(
            problems,
            expect![[r#"
                exactly one of day of the month and day of the week must be `?`, not `*` and `MON-FRI` (write `0 7 ? * MON-FRI *`)
                exactly one of day of the month and day of the week must be `?`, not `1` and `MON` (set one of them, and `?` for the other; for both, write two schedules)
                exactly one of day of the month and day of the week must be `?`, not `?` and `?` (write `0 7 * * ? *`)
                exactly one of day of the month and day of the week must be `?`, not `*` and `*` (write `0 7 * * ? *`)
                the minute must be 0 to 59, not `?`
                the minute must be 0 to 59, not `60`
                the hour must be 0 to 23, not `24`
                the day of the month must be 1 to 31, not `32`
                the month must be 1 to 12 or JAN to DEC, not `13`
                the year must be 1970 to 2199, not `2200`
                the day of the month must be 1 to 31, not `0`
                the month must be 1 to 12 or JAN to DEC, not `0`
                the year must be 1970 to 2199, not `1969`
                the day of the week must be 1 to 7 or SUN to SAT, not `0` (1 is Sunday and 7 is Saturday)
                the day of the week must be 1 to 7 or SUN to SAT, not `FUNDAY` (did you mean `SUN`?)
                the day of the week must be 1 to 7 or SUN to SAT, not `MONDAY` (did you mean `MON`?)
                the range `22-6` of the hour is backwards (write `22-23,0-6`)
                the range `FRI-MON` of the day of the week is backwards (write `FRI-SAT,SUN-MON`)
                the minute cannot have the step `/0`
                the hour cannot have the step `/90`
                the day of the week cannot have the step `/2`
                no month has the weekday `3#6` (write `3#1` to `3#5`)
                `3#1,6#3`: `#` selects a single day and cannot be in a list
                the day of the month must be 1 to 31, not `2L`
                the day of the week must be 1 to 7 or SUN to SAT, not `3W` (1 is Sunday and 7 is Saturday)
                the minute must be 0 to 59, not ``
                the minute must be 0 to 59, not ``
                the hour must be 0 to 23, not ``
                a cron expression has six fields, separated by spaces
            "#]],
        );
        let rates = ["0 hours", "5 hour", "1 hours", "2 weeks"];
        check(
            rates.into_iter().filter_map(rate),
            expect![[r#"
                a rate must be at least 1, not `0 hours` (write `1 hour`)
                the unit after 5 must be `hours` (write `5 hours`)
                the unit after 1 must be `hour` (write `1 hour`)
                `weeks` is not a unit of a rate (units are minutes, hours and days)
            "#]],
        );
        let moments = [
            "2026-13-01T00:00:00",
            "2026-02-29T00:00:00",
            "1900-02-29T00:00:00",
            "2026-04-31T00:00:00",
            "2026-01-00T00:00:00",
            "2026-01-01T24:00:00",
            "2026-01-01T23:59:60",
        ];
        check(
            moments.into_iter().filter_map(moment),
            expect![[r#"
                `2026-13-01T00:00:00`: no month 13
                `2026-02-29T00:00:00`: that month has 28 days
                `1900-02-29T00:00:00`: that month has 28 days
                `2026-04-31T00:00:00`: that month has 30 days
                `2026-01-00T00:00:00`: that month has 31 days
                `2026-01-01T24:00:00`: the time must be 00:00:00 to 23:59:59
                `2026-01-01T23:59:60`: the time must be 00:00:00 to 23:59:59
            "#]],
        );
        let zones =
            ["Europe/Pariss", "europe/paris", "CEST", "PST", "Paris", "GMT+2", "+02:00", "America/Los Angeles", ""];
        check(
            zones.into_iter().filter_map(time_zone),
            expect![[r#"
                `Europe/Pariss` is not a time zone of the IANA database (did you mean `Europe/Paris`?)
                `europe/paris` is not a time zone of the IANA database (did you mean `Europe/Paris`?)
                `CEST` is not a time zone of the IANA database (use the name of a place, such as `Europe/Paris`, or `UTC`)
                `PST` is not a time zone of the IANA database (use the name of a place, such as `Europe/Paris`, or `UTC`)
                `Paris` is not a time zone of the IANA database (did you mean `Europe/Paris`?)
                `GMT+2` is not a time zone of the IANA database (use the name of a place, such as `Europe/Paris`, or `UTC`)
                `+02:00` is not a time zone of the IANA database (use the name of a place, such as `Europe/Paris`, or `UTC`)
                `America/Los Angeles` is not a time zone of the IANA database (did you mean `America/Los_Angeles`?)
                `` is not a time zone of the IANA database (use the name of a place, such as `Europe/Paris`, or `UTC`)
            "#]],
        );
    }
}
