//! meltdown.

use meltdown::Meltdown;

#[tokio::main]
async fn main() {
    let mut meltdown = Meltdown::new().register(|_| async { println!("hello") });
    while meltdown.next().await.is_some() {}
}
