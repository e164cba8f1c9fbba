//! Listings have an end: a page that leads back to one that was read, or far too many pages, is an error.

use std::{
    collections::BTreeSet,
    hash::{DefaultHasher, Hash, Hasher},
};

use super::{CloudError, CloudErrorKind, CloudResult, PageToken, Target};

/// Pages of one listing. AWS documents no size of a page; 100 stacks or events are usual (K), and ListStacks may answer
/// pages that its filter left empty, since deleted stacks are kept for 90 days (D). 10,000 pages are a million items,
/// beyond what any account has.
const MOST: usize = 10_000;

/// The pages of one listing that were read.
#[derive(Debug, Clone, Default)]
pub struct Pages {
    /// What led to them, in short.
    seen: BTreeSet<u64>,
}

impl Pages {
    /// Takes where a page leads to; answers it where the listing may go on.
    ///
    /// # Errors
    ///
    /// If it has been there, or has been read for too long.
    pub fn lead(
        &mut self,
        next: Option<PageToken>,
        (operation, subject, target): (&'static str, &str, &Target),
    ) -> CloudResult<Option<PageToken>> {
        let Some(token) = next else { return Ok(None) };
        let mut hasher = DefaultHasher::new();
        token.0.hash(&mut hasher);
        let why = if !self.seen.insert(hasher.finish()) {
            format!("page {} leads back to an earlier one", self.seen.len() + 1)
        } else if self.seen.len() >= MOST {
            format!("{MOST} pages, and still no end")
        } else {
            return Ok(Some(token));
        };
        let (subject, target) = (subject.to_owned(), target.clone());
        Err(CloudError { operation, subject, target, kind: CloudErrorKind::Unreadable(why), request_id: None })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(token: impl Fn(usize) -> Option<String>) -> Result<usize, String> {
        let target = Target { account: None, region: "us-east-1".into(), assume_role: None };
        let mut pages = Pages::default();
        for number in 0.. {
            let next = token(number).map(PageToken);
            match pages.lead(next, ("ListStacks", "all stacks", &target)) {
                Ok(Some(_)) => {}
                Ok(None) => return Ok(number + 1),
                Err(error) => return Err(error.to_string()),
            }
        }
        Ok(0)
    }

    #[test]
    fn a_listing_ends_or_is_ended() {
        assert_eq!(read(|number| (number < 9_998).then(|| number.to_string())), Ok(9_999));
        let said =
            |why: &str| Err(format!("ListStacks of all stacks in us-east-1 failed: not an answer from AWS: {why}"));
        assert_eq!(read(|_| Some("again".into())), said("page 2 leads back to an earlier one"));
        assert_eq!(read(|number| Some((number % 7).to_string())), said("page 8 leads back to an earlier one"));
        assert_eq!(read(|number| Some(number.to_string())), said("10000 pages, and still no end"));
    }
}
