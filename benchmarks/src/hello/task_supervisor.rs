//! task-supervisor.

use task_supervisor::{CancellationToken, SupervisedTask, SupervisorBuilder, TaskResult};

#[derive(Clone)]
struct Hello;

impl SupervisedTask for Hello {
    async fn run(self, _cancel: CancellationToken) -> TaskResult {
        println!("hello");
        Ok(())
    }
}

#[tokio::main]
async fn main() {
    let supervisor = SupervisorBuilder::new().with_task("hello", Hello).spawn();
    supervisor.shutdown().await.expect("it ends");
}
