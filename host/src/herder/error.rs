//! Why the herder does not do what it is asked.

use crate::sink::SinkError;

/// See the module.
#[derive(Debug, thiserror::Error)]
pub enum HerderError {
    /// There is no connector of that name.
    #[error("Connector {0} not found")]
    NotFound(String),
    /// There is one already.
    #[error("Connector {0} already exists")]
    Exists(String),
    /// Its offsets can be changed only while it is stopped.
    #[error(
        "Connectors must be in the STOPPED state before their offsets can be modified. This can be done for the specified \
         connector by issuing a 'PUT' request to the '/connectors/{0}/stop' endpoint"
    )]
    NotStopped(String),
    /// Its task does not end.
    #[error("The task of connector {0} has not ended yet; try again")]
    StillRunning(String),
    /// The component does not take an offset, or no component knows the class.
    #[error("{0}")]
    Refused(String),
    /// It is not decided which worker runs the connectors.
    #[error("This worker has no place in its group for now; ask again in a moment")]
    Joining,
    /// Another worker runs the connectors.
    #[error("{}", standby(.0.as_deref()))]
    Standby(Option<String>),
    /// The store, or where the offsets are.
    #[error("{0}")]
    Store(#[from] SinkError),
}

fn standby(active: Option<&str>) -> String {
    let active = active.map_or_else(String::new, |active| format!(": {active} does"));
    format!("This worker stands by and does not run the connectors{active}. Ask the worker whose /readyz answers 200")
}
