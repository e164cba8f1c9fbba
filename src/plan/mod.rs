//! Desired and observed stacks become a [`Plan`]: a value, complete, printable, that decides everything.
//!
//! Pure. The diff judges replacement by the resource-type table, the graph orders stacks, `recover` turns a status
//! into the next operation, the gate says what an update may do, the guard what protection forbids, and the audit
//! re-reads the finished plan as a stranger.

mod model;

pub use model::{
    Action, Allowed, Change, ChangeKind, FORMAT, Gate, LeftBehind, Observed, Operation, Phase, Plan,
    PlannedEnvironment, PropertyChange, Step, Submission,
};
