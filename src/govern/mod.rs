//! What keeps load from doing harm: how much may be asked, of whom, how often again.
//!
//! Not here: what is alive (`table`), who is asked (`policy`, `balance`).

mod retry_budget;

pub use retry_budget::{RetryBudget, Retrying};
