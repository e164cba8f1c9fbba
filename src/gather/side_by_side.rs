//! Several calls at once, their answers in order.

use std::{
    future::{Future, poll_fn},
    pin::Pin,
    task::Poll,
};

/// Runs jobs side by side, at most `limit` at once; the answers come in the order of the jobs.
///
/// # Errors
///
/// The first one; what has not begun then never does.
pub(super) async fn side_by_side<T, E, F>(limit: usize, jobs: impl IntoIterator<Item = F>) -> Result<Vec<T>, E>
where
    F: Future<Output = Result<T, E>>,
{
    let mut jobs = jobs.into_iter().enumerate();
    let mut open: Vec<(usize, Pin<Box<F>>)> = Vec::new();
    let mut answers: Vec<(usize, T)> = Vec::new();
    poll_fn(|context| {
        loop {
            let room = limit.max(1).saturating_sub(open.len());
            open.extend(jobs.by_ref().take(room).map(|(at, job)| (at, Box::pin(job))));
            let before = open.len();
            let mut at = 0;
            while at < open.len() {
                match open[at].1.as_mut().poll(context) {
                    Poll::Pending => at += 1,
                    Poll::Ready(Err(error)) => return Poll::Ready(Err(error)),
                    Poll::Ready(Ok(answer)) => answers.push((open.swap_remove(at).0, answer)),
                }
            }
            if open.is_empty() && before == 0 {
                return Poll::Ready(Ok(()));
            }
            if open.len() == before {
                return Poll::Pending;
            }
        }
    })
    .await?;
    answers.sort_by_key(|(at, _)| *at);
    Ok(answers.into_iter().map(|(_, answer)| answer).collect())
}

#[cfg(test)]
mod tests {
    use std::cell::Cell;

    use super::*;

    fn now<T>(future: impl Future<Output = T>) -> T {
        tokio::runtime::Builder::new_current_thread().build().expect("a runtime starts").block_on(future)
    }

    /// Waits so many rounds, and counts how many do so at once.
    async fn job(rounds: u32, open: &Cell<usize>, most: &Cell<usize>) -> u32 {
        open.set(open.get() + 1);
        most.set(most.get().max(open.get()));
        for _ in 0..rounds {
            tokio::task::yield_now().await;
        }
        open.set(open.get() - 1);
        rounds
    }

    #[test]
    fn answers_come_in_order_and_so_many_jobs_run_at_once() {
        let (open, most) = (Cell::new(0), Cell::new(0));
        let rounds = [3, 0, 5, 1, 4, 2, 0];
        let jobs = rounds.map(|rounds| {
            let (open, most) = (&open, &most);
            async move { Ok::<u32, ()>(job(rounds, open, most).await) }
        });
        assert_eq!(now(side_by_side(3, jobs)), Ok(rounds.to_vec()));
        assert_eq!(most.get(), 3);
    }

    #[test]
    fn after_an_error_nothing_more_begins() {
        let begun = Cell::new(0);
        let jobs = (0..100).map(|at| {
            let begun = &begun;
            async move {
                begun.set(begun.get() + 1);
                if at == 1 { Err(at) } else { Ok(at) }
            }
        });
        assert_eq!(now(side_by_side(2, jobs)), Err(1));
        assert_eq!(begun.get(), 2);
        assert_eq!(now(side_by_side(0, [async { Ok::<u32, ()>(1) }])), Ok(vec![1]));
    }
}
