//! Logical ids: a part's name, and whose part it is where there are several.

/// The serving of a thing that serves one model.
pub const ALL_TRAFFIC: &str = "AllTraffic";

/// The logical id of a part of a serving: `Model` where there is only one, `ModelFastLane` for one called `fast-lane`.
pub fn logical_id(part: &str, serving: &str) -> String {
    if serving == ALL_TRAFFIC {
        return part.to_owned();
    }
    let words = serving.split(|c: char| !c.is_ascii_alphanumeric()).filter(|word| !word.is_empty());
    words.fold(part.to_owned(), |id, word| id + &word[..1].to_uppercase() + &word[1..])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_say_whose_part_it_is_only_where_there_are_several() {
        let ids = [ALL_TRAFFIC, "blue", "fast-lane"].map(|serving| logical_id("Model", serving));
        assert_eq!(ids, ["Model", "ModelBlue", "ModelFastLane"]);
    }
}
