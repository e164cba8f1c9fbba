//! Facts that other rooms rely on, and the rules that choose between them.
