//! A schema registry's client, as Confluent's serializers are one: what to ask (`requests`), under which subject
//! (`subject`), and what the answers were (`ids`). No I/O: `task::registration` has the order of the requests.

pub mod ids;
pub mod requests;
pub mod subject;

use crate::secret::Secret;

/// Where a registry is, and what is agreed with it: the settings `*.converter.schema.registry.url` and so on.
#[derive(Clone, Debug)]
pub struct Registry {
    /// Where it answers: the next one is asked when one does not. Never none.
    pub endpoints: Vec<Endpoint>,
    /// Sent with each request, beside the authorization: `target-sr-cluster`, `Confluent-Identity-Pool-Id`.
    pub headers: Vec<(&'static str, String)>,
    /// How a schema gets its id.
    pub rules: Rules,
    /// Under which subject.
    pub subjects: subject::Subjects,
    /// `max.retries`: how often a request is repeated.
    pub retries_max: u32,
    /// `retries.wait.ms`: before the first repetition, in milliseconds; doubled before each further one.
    pub retry_wait_ms: u64,
    /// `retries.max.wait.ms`: the longest wait, in milliseconds.
    pub retry_wait_max_ms: u64,
}

/// One address of a registry.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Endpoint {
    /// Without user and password, and without a slash at its end.
    pub url: String,
    /// The value of `Authorization`.
    pub authorization: Option<Secret>,
}

/// How a schema gets its id.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rules {
    /// `auto.register.schemas`: a schema that the registry lacks is added to the subject.
    pub auto_register: bool,
    /// `use.latest.version`: the id is the one of the subject's latest version, whatever the schema.
    pub use_latest_version: bool,
    /// `latest.compatibility.strict`: the registry must find the latest version compatible with the schema.
    pub latest_compatibility_strict: bool,
    /// `normalize.schemas`: the registry compares schemas in a normal form.
    pub normalize: bool,
}
