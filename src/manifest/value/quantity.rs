//! Quantities with units.

use std::fmt;
use std::str::FromStr;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// A length of time in seconds, written `90s`, `10m`, `1h30m`, `7d`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Duration(pub u64);

/// A length of time in milliseconds, written `500ms` or as a [`Duration`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Latency(pub u64);

/// A size in bytes, written `512MiB`, `16GiB`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Size(pub u64);

/// A percentage, written `10%`, `0.5%`.
#[derive(Debug, Clone, Copy, PartialEq, PartialOrd, Default)]
pub struct Percent(pub f64);

/// What is not written as the quantity expected.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not a quantity of this kind")]
pub struct NotAQuantity;

const TIME_UNITS: [(char, u64); 4] = [('d', 86_400), ('h', 3_600), ('m', 60), ('s', 1)];
const SIZE_UNITS: [(&str, u32); 4] = [("TiB", 40), ("GiB", 30), ("MiB", 20), ("KiB", 10)];

fn digits(text: &str, most: usize) -> Option<u64> {
    let fits = !text.is_empty() && text.len() <= most && text.bytes().all(|b| b.is_ascii_digit());
    fits.then(|| text.parse().ok()).flatten()
}

impl FromStr for Duration {
    type Err = NotAQuantity;

    fn from_str(text: &str) -> Result<Self, NotAQuantity> {
        let mut rest = text;
        let mut total = 0;
        for (unit, seconds) in TIME_UNITS {
            if let Some((number, after)) = rest.split_once(unit) {
                total += digits(number, 9).ok_or(NotAQuantity)? * seconds;
                rest = after;
            }
        }
        if text.is_empty() || !rest.is_empty() { Err(NotAQuantity) } else { Ok(Self(total)) }
    }
}

impl FromStr for Latency {
    type Err = NotAQuantity;

    fn from_str(text: &str) -> Result<Self, NotAQuantity> {
        match text.strip_suffix("ms") {
            Some(number) => digits(number, 9).map(Self).ok_or(NotAQuantity),
            None => text.parse().map(|Duration(seconds)| Self(seconds * 1000)),
        }
    }
}

impl FromStr for Size {
    type Err = NotAQuantity;

    fn from_str(text: &str) -> Result<Self, NotAQuantity> {
        SIZE_UNITS
            .iter()
            .find_map(|(unit, shift)| Some(digits(text.strip_suffix(unit)?, 6)? << shift))
            .map(Self)
            .ok_or(NotAQuantity)
    }
}

impl FromStr for Percent {
    type Err = NotAQuantity;

    fn from_str(text: &str) -> Result<Self, NotAQuantity> {
        let number = text.strip_suffix('%').ok_or(NotAQuantity)?;
        let (whole, fraction) = number.split_once('.').unwrap_or((number, "0"));
        digits(whole, 3).and(digits(fraction, 6)).ok_or(NotAQuantity)?;
        number.parse().map(Self).map_err(|_| NotAQuantity)
    }
}

impl fmt::Display for Duration {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.0 == 0 {
            return f.write_str("0s");
        }
        let mut rest = self.0;
        for (unit, seconds) in TIME_UNITS {
            if rest >= seconds {
                write!(f, "{}{unit}", rest / seconds)?;
            }
            rest %= seconds;
        }
        Ok(())
    }
}

impl fmt::Display for Latency {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.0.is_multiple_of(1000) { Duration(self.0 / 1000).fmt(f) } else { write!(f, "{}ms", self.0) }
    }
}

impl fmt::Display for Size {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let unit = SIZE_UNITS.iter().find(|(_, shift)| self.0 > 0 && self.0.is_multiple_of(1 << shift));
        match unit {
            Some((unit, shift)) => write!(f, "{}{unit}", self.0 >> shift),
            None => write!(f, "{}KiB", self.0 >> 10),
        }
    }
}

impl fmt::Display for Percent {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}%", self.0)
    }
}

macro_rules! quantity {
    ($type:ident, $form:literal, $doc:literal) => {
        impl<'de> Deserialize<'de> for $type {
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                String::deserialize(deserializer)?.parse().map_err(serde::de::Error::custom)
            }
        }

        impl Serialize for $type {
            fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.collect_str(self)
            }
        }

        impl JsonSchema for $type {
            fn inline_schema() -> bool {
                true
            }

            fn schema_name() -> std::borrow::Cow<'static, str> {
                stringify!($type).into()
            }

            fn json_schema(_: &mut SchemaGenerator) -> Schema {
                json_schema!({ "type": "string", "x-form": $form, "description": $doc })
            }
        }
    };
}

quantity!(Duration, "duration", "A length of time, such as `90s`, `10m`, `1h30m`, `7d`.");
quantity!(Latency, "latency", "A length of time, such as `500ms` or `2s`.");
quantity!(Size, "size", "A size, such as `16GiB`.");
quantity!(Percent, "percent", "A percentage, such as `10%`.");

#[cfg(test)]
mod tests {
    use super::*;

    fn check<T: FromStr + fmt::Display>(text: &str, expect: &str) {
        let shown = text.parse::<T>().map_or_else(|_| "refused".to_owned(), |quantity| quantity.to_string());
        assert_eq!(shown, expect, "{text}");
    }

    #[test]
    fn quantities_are_read_and_written_shortest() {
        for (text, expect) in [("90s", "1m30s"), ("1h30m", "1h30m"), ("7d", "7d"), ("0s", "0s"), ("24h", "1d")] {
            check::<Duration>(text, expect);
        }
        for text in ["", "90", "1.5h", "30m1h", "1h1h", "-1s", "s", "1 h", "500ms", "9999999999d", "١s"] {
            check::<Duration>(text, "refused");
        }
        for (text, expect) in [("500ms", "500ms"), ("2000ms", "2s"), ("5s", "5s"), ("ms", "refused")] {
            check::<Latency>(text, expect);
        }
        for (text, expect) in [("16GiB", "16GiB"), ("1024MiB", "1GiB"), ("16GB", "refused"), ("16", "refused")] {
            check::<Size>(text, expect);
        }
        for (text, expect) in
            [("10%", "10%"), ("0.5%", "0.5%"), ("10", "refused"), (".5%", "refused"), ("%", "refused")]
        {
            check::<Percent>(text, expect);
        }
    }
}
