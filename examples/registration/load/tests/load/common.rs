use std::net::SocketAddr;
use std::path::PathBuf;

use axum::Router;
use diesel::Connection as _;
use diesel::connection::SimpleConnection as _;
use registration::Config;
use registration::database::AnyConnection;
use tokio::net::TcpListener;
use tokio::runtime::Runtime;

/// A server in this process. Fields are dropped in this order.
pub(crate) struct Server {
    pub(crate) address: SocketAddr,
    _runtime: Runtime,
    url: String,
    folder: tempfile::TempDir,
}

impl Server {
    pub(crate) fn start(router: impl FnOnce(&Config) -> Router) -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let mut config = Config::in_folder(folder.path());
        config.hashing = argon2::Params::new(8, 1, 1, None).expect("the least there is");
        let router = router(&config);
        let runtime = Runtime::new().expect("a runtime");
        let listener = runtime.block_on(TcpListener::bind(config.address));
        let listener = listener.expect("a port");
        let address = listener.local_addr().expect("bound");
        runtime.spawn(async { axum::serve(listener, router).await });
        Server {
            address,
            _runtime: runtime,
            url: config.url(),
            folder,
        }
    }

    /// By which rows can be broken that foreign keys would keep.
    pub(crate) fn connect(&self) -> AnyConnection {
        let mut conn = AnyConnection::establish(&self.url).expect("the database is there");
        conn.batch_execute("PRAGMA foreign_keys = OFF")
            .expect("they are off");
        conn
    }

    pub(crate) fn mail(&self) -> PathBuf {
        self.folder.path().join("mail")
    }
}
