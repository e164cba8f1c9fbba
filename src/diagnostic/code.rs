//! The table of codes: number, nature, title and the page that `hubform explain` prints.
//!
//! A number is never used for something else, even after its finding is gone. 1xxx speaks of what is written,
//! 2xxx of what it resolves to, 3xxx of rendering, 4xxx of plans, 5xxx of the world.

use serde::{Deserialize, Serialize};

use super::Severity;

macro_rules! codes {
    ($($name:ident = $number:literal $severity:ident $title:literal,)*) => {
        /// The kind of a finding; one row of the table each.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        pub enum Code {
            $(#[doc = $title] $name,)*
        }

        impl Code {
            /// Every code there is.
            pub const ALL: &'static [Code] = &[$(Code::$name,)*];

            /// The number people quote, as `HF1001`.
            pub fn number(self) -> &'static str {
                match self { $(Code::$name => concat!("HF", $number),)* }
            }

            /// A few words.
            pub fn title(self) -> &'static str {
                match self { $(Code::$name => $title,)* }
            }

            /// What a finding of this kind weighs unless said otherwise.
            pub fn severity(self) -> Severity {
                match self { $(Code::$name => Severity::$severity,)* }
            }

            /// The page for `hubform explain`: what it means, why it is so, what to do.
            pub fn page(self) -> &'static str {
                match self { $(Code::$name => include_str!(concat!("pages/HF", $number, ".md")),)* }
            }
        }
    };
}

codes! {
    BrokenYaml = "1001" Error "broken YAML",
    ForeignStack = "4001" Error "stack name taken by somebody else",
    OtherOwner = "4002" Error "stack belongs to another manifest",
    OperationRunning = "4003" Error "an operation is running",
    StuckStack = "4004" Error "stack takes no update",
    Protected = "4005" Error "protected",
    EndpointRenamed = "4006" Error "endpoint name changed",
    StillNeeded = "4007" Error "still needed by others",
    LeftBehind = "4008" Note "stack left behind",
    ScalerEntangled = "4009" Error "scalable target cannot be taken out",
    UnreadableBody = "4010" Error "template cannot be compared",
    TypeChanged = "4011" Error "resource type changed",
}

impl Code {
    /// The code with this number, written in any case, with or without `HF`.
    pub fn find(text: &str) -> Option<Self> {
        let wanted = text.trim().to_uppercase();
        let wanted = wanted.strip_prefix("HF").unwrap_or(&wanted);
        Self::ALL.iter().copied().find(|code| &code.number()[2..] == wanted)
    }
}
