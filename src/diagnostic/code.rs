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
    NotUtf8 = "1002" Error "not UTF-8",
    FileTooLarge = "1003" Error "file too large",
    TooDeep = "1004" Error "nested too deep",
    AliasLimit = "1005" Error "aliases out of hand",
    DuplicateKey = "1006" Error "duplicate key",
    YamlFeature = "1007" Error "YAML feature not allowed",
    AmbiguousScalar = "1008" Error "easily misread value",
    ForeignDocument = "1010" Error "not a hubform manifest",
    UnknownVersion = "1011" Error "unknown version of the language",
    UnknownKind = "1012" Error "unknown kind",
    UnknownField = "1020" Error "unknown field",
    MissingField = "1021" Error "missing field",
    WrongType = "1022" Error "wrong type",
    InvalidValue = "1023" Error "invalid value",
    WrongUnit = "1024" Error "wrong unit",
    OutOfRange = "1025" Error "out of range",
    Conflict = "1026" Error "fields that exclude each other",
    UnknownPlaceholder = "1027" Error "unknown placeholder",
    InvalidTag = "1028" Error "invalid tag",
    DuplicateName = "1029" Error "duplicate name in a list",
    Wildcard = "1030" Error "wildcard in a name",
    NotYetSupported = "1040" Error "not yet supported",
    LiteralSecret = "1050" Error "secret in plain text",
    DynamicReference = "1051" Error "dynamic reference",
    SecretByName = "1052" Warning "variable that names a secret",
    BadSchedule = "1053" Error "invalid schedule",
    BadStatement = "1054" Error "statement that IAM rejects",
    UnknownTimeZone = "1055" Error "unknown time zone",
    DuplicateDocument = "1060" Error "two manifests with one name",
    SeveralEnvironments = "1061" Error "several environments in one folder",
    UnknownEnvironment = "1062" Error "unknown environment",
    IncludeCycle = "1063" Error "environments that include each other",
    DanglingPatch = "1064" Error "patch without a manifest",
    PrefixNeeded = "1065" Error "prefix needed",
    OutsideInclude = "1066" Warning "include from outside",
    HubToken = "1070" Error "Hub token in a manifest",
    ShellVariable = "1071" Warning "shell variable in a value",
    DanglingReference = "2001" Error "reference to nothing",
    UnknownModel = "2002" Error "unknown model",
    GatedModel = "2003" Error "gated model",
    GatingUnknown = "2004" Warning "gating unknown",
    NotPinned = "2005" Warning "not pinned",
    EngineMissing = "2006" Error "no engine",
    InstanceNotOffered = "2007" Error "instance type not offered",
    InstanceMissing = "2008" Error "no instance type",
    NothingFits = "2009" Error "nothing fits",
    DoesNotFit = "2010" Error "does not fit",
    WrongAccelerator = "2011" Error "wrong accelerator",
    TensorParallel = "2012" Error "tensor parallel does not work",
    ImageMissing = "2013" Error "no image",
    BrokenImage = "2014" Warning "image reported broken",
    ImageRegion = "2015" Error "image not in ECR here",
    NoFlags = "2016" Error "engine without flags",
    ScalingBounds = "2017" Error "contradictory bounds",
    FixedCount = "2018" Warning "setting without effect",
    TargetWithoutDevice = "2019" Error "target without device",
    RolloutInstances = "2021" Error "rollout needs two instances",
    RolloutSize = "2022" Error "step too large or too small",
    AccountUnknown = "2023" Error "account unknown",
    RegionUnknown = "2024" Error "unknown Region",
    KeyAlias = "2026" Error "key by alias",
    TooManyTags = "2027" Error "too many tags",
    IsolatedHub = "2028" Error "isolated from the Hub",
    EnvironmentTooLarge = "2029" Error "too many variables",
    VolumeOnLocalDisk = "2030" Error "volume beside local disks",
    LockMissing = "2031" Error "not in the lock",
    LockUnreadable = "2032" Error "lock unreadable",
    SameStack = "2033" Error "two manifests, one stack",
    RoleMissing = "2034" Error "role missing",
    RoleTrust = "2035" Error "role not trusted",
    NoSuchManifest = "2036" Error "no such manifest",
    SameEndpoint = "2037" Error "two manifests, one endpoint",
    RolloutTooLong = "2038" Error "rollout longer than its timeout",
    RolloutLeftOut = "2039" Warning "inherited rollout not used",
    OwnFlag = "2040" Error "flag set by hubform",
    TightMemory = "2041" Warning "memory may be too small",
    NotJudged = "2042" Warning "unknown whether it fits",
    BadPin = "2050" Error "lock with a value out of bounds",
    LockConflict = "2051" Error "lock with conflict markers",
    SameOwner = "2052" Error "two environments, one owner",
    LockRace = "2053" Error "lock changed by another run",
    Burstable = "2054" Error "burstable instances cannot be scaled",
    WrongArn = "2055" Error "ARN of something else",
    UnknownWord = "2070" Error "value unknown to the engine",
    MayBeUnknownWord = "2071" Warning "value perhaps unknown to the engine",
    NumberExpected = "2072" Error "number expected",
    DeviceTooOld = "2073" Error "device too old",
    OwnVariable = "2074" Warning "variable set by hubform",
    ContextTooLong = "2075" Error "context longer than the model's",
    ContextStretched = "2076" Warning "context beyond the model's",
    UnusedField = "2077" Warning "field the engine does not use",
    IdleDevices = "2078" Warning "idle devices",
    OtherImage = "2079" Error "image of another kind",
    UnknownImage = "2080" Warning "unknown image",
    HubThroughVpc = "2081" Warning "Hub through subnets",
    UnknownTask = "2082" Error "unknown task",
    TaskMismatch = "2083" Warning "task that does not fit",
    ServerKey = "2084" Error "key for the server",
    ListForFlag = "2085" Error "list for a single value",
    TemplateFailed = "3001" Error "template failed",
    TemplateOutput = "3002" Error "template output",
    BodyTooLarge = "3003" Error "body too large",
    UnknownLogicalId = "3004" Error "override of nothing",
    PatchFailed = "3005" Error "patch does not apply",
    LogicalIdTaken = "3006" Error "logical id taken",
    OverrideRefused = "3007" Error "override not allowed",
    BrokenSub = "3008" Error "`${` that is not closed",
    PolicyTooLarge = "3050" Error "policy too large",
    PolicyNearLimit = "3051" Warning "policy near its limit",
    ForeignStack = "4001" Error "stack name taken",
    OtherOwner = "4002" Error "stack belongs to another manifest",
    OperationRunning = "4003" Error "an operation is running",
    StuckStack = "4004" Error "stack cannot be updated",
    Protected = "4005" Error "protected",
    EndpointRenamed = "4006" Error "endpoint name changed",
    StillNeeded = "4007" Error "still needed by others",
    LeftBehind = "4008" Note "stack left behind",
    ScalerEntangled = "4009" Error "scalable target cannot be taken out",
    UnreadableBody = "4010" Error "template cannot be compared",
    TypeChanged = "4011" Error "resource type changed",
    OwnedElsewhere = "4021" Error "stack of another owner",
}

impl Code {
    /// The code with this number, written in any case, with or without `HF`.
    pub fn find(text: &str) -> Option<Self> {
        let wanted = text.trim().to_uppercase();
        let wanted = wanted.strip_prefix("HF").unwrap_or(&wanted);
        Self::ALL.iter().copied().find(|code| &code.number()[2..] == wanted)
    }
}
