//! The real runner, beside its reference: does each step to both and compares what is to be seen.

use std::collections::BTreeMap;
use std::pin::Pin;
use std::sync::{Arc, Mutex};
use std::task::{Context as Task, Poll, Waker};

use startstop_core::{Runner, Service, StartError, State, StateWatch};
use tokio::runtime::Runtime;
use tokio::task::AbortHandle;
use tokio::time::{Instant, sleep_until};
use tokio_util::sync::CancellationToken;

use super::plan::millis;
use super::program::{Op, PARENTS, Program, Step, Unpolled};
use super::reference::{Answer, Reference, View};
use super::script::Script;
use super::service::Seen;
use super::sight;
use super::told::Told;

type Call = Pin<Box<dyn Future<Output = Answer> + Send>>;
type Answers = Arc<Mutex<BTreeMap<usize, Answer>>>;

/// How a program went that went well.
#[derive(Debug, Default, Clone, Copy)]
pub(super) struct Done {
    pub(super) operations: u64,
    /// It was given up at a tie.
    pub(super) tied: bool,
}

pub(super) struct World<S: Service> {
    reference: Reference,
    /// Handles of the one runner; the first is the one that is called.
    handles: Vec<Runner<S>>,
    watch: StateWatch,
    /// In most programs somebody listens.
    told: Option<Told>,
    seen: Arc<Seen>,
    parents: Vec<CancellationToken>,
    answers: Answers,
    /// The tasks of the calls that wait.
    calls: BTreeMap<usize, AbortHandle>,
    began: Instant,
    done: Done,
}

fn runtime() -> Runtime {
    let mut builder = tokio::runtime::Builder::new_current_thread();
    builder
        .enable_time()
        .start_paused(true)
        .build()
        .expect("a runtime can be built")
}

impl<S: Service> World<S> {
    pub(super) fn new(program: &Program, service: S, watched: Arc<Seen>) -> Self {
        let (seed, bombs) = (program.seed, program.bombs);
        let scripts = Box::new(move |run| Script::draw(seed, run, bombs));
        let runner = Runner::with_settings(service, program.plan.settings());
        Self {
            reference: Reference::new(program.plan.clone(), scripts),
            watch: runner.subscribe(),
            told: (seed % 4 > 0).then(|| Told::of(&runner, program.plan.readiness)),
            handles: vec![runner],
            seen: watched,
            parents: (0..PARENTS).map(|_| CancellationToken::new()).collect(),
            answers: Answers::default(),
            calls: BTreeMap::new(),
            began: Instant::now(),
            done: Done::default(),
        }
    }

    /// Runs a program, on as many runtimes as it takes; what is different is the error.
    pub(super) fn run(mut self, program: &Program) -> Result<Done, String> {
        let mut steps = program.steps.iter();
        loop {
            let runtime = runtime();
            let again = runtime.block_on(self.run_on_one(&mut steps))?;
            drop(runtime);
            if !again {
                return Ok(self.done);
            }
            let lost = self.reference.end_runtime();
            self.calls.clear();
            self.compare_between(lost)?;
        }
    }

    /// Runs it until its end, or that of the runtime.
    async fn run_on_one(&mut self, steps: &mut std::slice::Iter<'_, Step>) -> Result<bool, String> {
        self.began = Instant::now();
        while let Some(step) = steps.next() {
            self.done.operations += 1;
            if step.op == Op::EndRuntime {
                return Ok(true);
            }
            self.step(step);
            // Calls that were given up hold their handles until their tasks are polled.
            let leaves = steps
                .as_slice()
                .first()
                .is_some_and(|step| step.op == Op::Leave);
            if step.gap == 0 && !leaves {
                continue;
            }
            self.reference.advance(step.gap.max(1));
            if self.reference.tied {
                self.done.tied = true;
                break;
            }
            sleep_until(self.began + millis(self.reference.now)).await;
            self.compare()
                .map_err(|different| format!("after step {step:?}: {different}"))?;
        }
        Ok(false)
    }

    fn step(&mut self, step: &Step) {
        let Step { id, op, .. } = *step;
        let Some(runner) = self.handles.first().cloned() else {
            return;
        };
        self.tell_reference(id, op);
        match op {
            Op::Start => self.call(id, async move { sight::started(runner.start().await) }),
            Op::StartWith(parent) => {
                let parent = self.parents[parent].clone();
                self.call(id, async move {
                    sight::started(runner.start_with(&parent).await)
                });
            }
            Op::Ensure => {
                self.call(
                    id,
                    async move { sight::started(runner.ensure_running().await) },
                );
            }
            Op::Restart => self.call(id, async move { sight::started(runner.restart().await) }),
            Op::Stop => self.call(id, async move { sight::stopped(runner.stop().await) }),
            Op::StopWithin(time) => {
                let within = millis(time);
                self.call(id, async move {
                    sight::stopped(runner.stop_within(within).await)
                });
            }
            Op::Wait => self.call(id, async move { Answer::Exit(runner.wait().await) }),
            Op::WaitFor(state) => self.call(id, async move {
                runner.wait_for(state).await;
                Answer::Seen
            }),
            Op::Reload => self.call(id, async move { sight::reloaded(runner.reload().await) }),
            Op::RequestReload => runner.request_reload(),
            Op::RequestStart => runner.request_start(),
            Op::RequestStop => runner.request_stop(),
            Op::RequestRestart => runner.request_restart(),
            Op::CancelParent(parent) => self.parents[parent].cancel(),
            Op::Unpolled(Unpolled::Start) => drop(runner.start()),
            Op::Unpolled(Unpolled::Stop) => drop(runner.stop()),
            Op::Unpolled(Unpolled::Restart) => drop(runner.restart()),
            Op::GiveUp(call) => self.give_up(call),
            Op::CloneHandle => self.handles.push(runner),
            Op::DropHandle if self.handles.len() > 1 => drop(self.handles.remove(0)),
            Op::Leave => {
                drop(runner);
                self.leave();
            }
            Op::DropHandle | Op::EndRuntime | Op::Look => {}
        }
    }

    fn tell_reference(&mut self, id: usize, op: Op) {
        let reference = &mut self.reference;
        match op {
            Op::Start => reference.start(Some(id), None),
            Op::StartWith(parent) => reference.start(Some(id), Some(parent)),
            Op::Ensure => reference.ensure_running(id),
            Op::Restart => reference.restart(Some(id)),
            Op::Stop => reference.stop(Some(id), None),
            Op::StopWithin(time) => reference.stop(Some(id), Some(time)),
            Op::Wait => reference.wait(id),
            Op::WaitFor(state) => reference.wait_for(id, state),
            Op::Reload => reference.reload(Some(id)),
            Op::RequestReload => reference.reload(None),
            Op::RequestStart => reference.start(None, None),
            Op::RequestStop => reference.stop(None, None),
            Op::RequestRestart => reference.restart(None),
            Op::CancelParent(parent) => reference.cancel_parent(parent),
            Op::GiveUp(call) if self.calls.contains_key(&call) => reference.give_up(call),
            // All calls are given up before the handle is dropped; their order makes no difference.
            Op::Leave => {
                for call in self.calls.keys() {
                    reference.give_up(*call);
                }
                reference.leave();
            }
            _ => {}
        }
    }

    /// Polls a call once, which is when it has its effect, and leaves the rest to a task: so that it
    /// has to be woken.
    fn call(&mut self, id: usize, call: impl Future<Output = Answer> + Send + 'static) {
        let mut call: Call = Box::pin(call);
        if let Poll::Ready(answer) = call.as_mut().poll(&mut Task::from_waker(Waker::noop())) {
            self.answers
                .lock()
                .expect("nobody panics under it")
                .insert(id, answer);
            return;
        }
        let answers = Arc::clone(&self.answers);
        let task = tokio::spawn(async move {
            let answer = call.await;
            answers
                .lock()
                .expect("nobody panics under it")
                .insert(id, answer);
        });
        self.calls.insert(id, task.abort_handle());
    }

    fn give_up(&mut self, call: usize) {
        if let Some(task) = self.calls.remove(&call) {
            task.abort();
        }
    }

    fn leave(&mut self) {
        for (_, task) in std::mem::take(&mut self.calls) {
            task.abort();
        }
        self.handles.clear();
    }

    fn compare(&mut self) -> Result<(), String> {
        self.compare_answers()?;
        let expected = self.reference.view();
        let Some(runner) = self.handles.first() else {
            return self.compare_rest(&expected);
        };
        let known = expected.total_uptime.is_some();
        same(&expected, &sight::of(runner, &self.seen, known))?;
        sight::agrees_with_itself(runner)?;
        self.compare_rest(&expected)
    }

    fn compare_answers(&mut self) -> Result<(), String> {
        let expected: BTreeMap<_, _> = self.reference.answers.drain(..).collect();
        let answers = std::mem::take(&mut *self.answers.lock().expect("nobody panics under it"));
        self.calls.retain(|call, _| !answers.contains_key(call));
        same(&expected, &answers)
    }

    fn compare_rest(&mut self, expected: &View) -> Result<(), String> {
        same(&expected.state, &self.watch.get())?;
        self.told
            .as_mut()
            .map_or(Ok(()), |told| told.compare(expected))?;
        sight::is_quiet(&self.seen, expected)?;
        let tasks = tokio::runtime::Handle::current()
            .metrics()
            .num_alive_tasks();
        let rests = expected.state == State::Stopped;
        let waiting = self.reference.waiting();
        if rests && tasks != waiting {
            return Err(format!("{tasks} tasks are alive, {waiting} calls wait"));
        }
        Ok(())
    }

    /// Between two runtimes.
    fn compare_between(&mut self, lost: bool) -> Result<(), String> {
        self.reference.answers.clear();
        self.answers.lock().expect("nobody panics under it").clear();
        let Some(runner) = self.handles.first() else {
            return Ok(());
        };
        if lost {
            // Open: whether a cycle that was to follow on a runtime that ends has begun.
            self.reference.adopt(&sight::of(runner, &self.seen, false));
        }
        let nowhere = Box::pin(runner.start())
            .as_mut()
            .poll(&mut Task::from_waker(Waker::noop()));
        if !matches!(nowhere, Poll::Ready(Err(StartError::NoRuntime))) {
            return Err(format!("a start without a runtime is {nowhere:?}"));
        }
        let expected = self.reference.view();
        let seen = sight::of(runner, &self.seen, expected.total_uptime.is_some());
        same(&expected, &seen).map_err(|different| format!("between runtimes: {different}"))?;
        self.told
            .as_mut()
            .map_or(Ok(()), |told| told.compare(&expected))
    }
}

fn same<T: PartialEq + std::fmt::Debug>(expected: &T, seen: &T) -> Result<(), String> {
    if expected == seen {
        return Ok(());
    }
    Err(format!("expected\n  {expected:?}\nseen\n  {seen:?}"))
}
