//! The program: arguments in, exit code out.

use std::process::ExitCode;

use hubform::cli::{Host, run};

fn main() -> ExitCode {
    let mut host = Host::of_process();
    run(&mut host, std::env::args_os()).into()
}
