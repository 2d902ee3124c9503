//! What stands in front of a service in the world: one address that stays, whatever process is behind it.

use std::{
    net::SocketAddr,
    sync::{Arc, Mutex},
};

use tokio::{
    io::copy_bidirectional,
    net::{TcpListener, TcpStream},
};

/// Passes connections on to the process that runs at the moment. While none does, it closes them.
#[derive(Debug, Clone)]
pub struct Front {
    pub address: SocketAddr,
    behind: Arc<Mutex<Option<SocketAddr>>>,
}

impl Front {
    pub async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let behind = Arc::new(Mutex::new(None));
        let front = Self { address, behind };
        tokio::spawn(front.clone().serve(listener));
        front
    }

    pub fn put_behind(&self, address: Option<SocketAddr>) {
        *self.behind.lock().unwrap() = address;
    }

    async fn serve(self, listener: TcpListener) {
        while let Ok((mut client, _)) = listener.accept().await {
            let Some(address) = *self.behind.lock().unwrap() else { continue };
            tokio::spawn(async move {
                if let Ok(mut service) = TcpStream::connect(address).await {
                    let _ = copy_bidirectional(&mut client, &mut service).await;
                }
            });
        }
    }
}
