use std::sync::Arc;

use tokio::sync::{Notify, Semaphore};

/// Holds answers back until a test lets them go, so that it can do something meanwhile.
#[derive(Debug, Clone)]
pub struct Hold {
    asked: Arc<Notify>,
    held: Arc<Semaphore>,
}

impl Default for Hold {
    fn default() -> Self {
        Self { asked: Arc::default(), held: Arc::new(Semaphore::new(0)) }
    }
}

impl Hold {
    /// Until somebody is held.
    pub async fn asked(&self) {
        self.asked.notified().await;
    }

    /// Lets those go that are held, and those that come later.
    pub fn let_go(&self) {
        self.held.close();
    }

    /// For whoever answers.
    pub async fn pass(&self) {
        self.asked.notify_one();
        let _ = self.held.acquire().await;
    }
}
