//! REST refusals: an HTTP status and an array of error objects. Implements section 1.5 of the Salesforce facts page.

use serde_json::json;

use crate::exchange::Response;
use crate::soql::SoqlError;

/// One refusal.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{status} {code}: {message}")]
pub(crate) struct RestError {
    pub(crate) status: u16,
    pub(crate) code: String,
    pub(crate) message: String,
    fields: Option<Vec<String>>,
}

impl RestError {
    pub(crate) fn new(status: u16, code: &str, message: impl Into<String>) -> Self {
        Self { status, code: code.to_owned(), message: message.into(), fields: None }
    }

    /// A request that the client has to change: HTTP 400.
    pub(crate) fn bad(code: &str, message: impl Into<String>) -> Self {
        Self::new(400, code, message)
    }

    pub(crate) fn not_found() -> Self {
        Self::new(404, "NOT_FOUND", "The requested resource does not exist")
    }

    pub(crate) fn session_expired() -> Self {
        Self::new(401, "INVALID_SESSION_ID", "Session expired or invalid")
    }

    /// Names the field that is to blame.
    pub(crate) fn field(self, name: &str) -> Self {
        self.fields(&[name])
    }

    pub(crate) fn fields(self, names: &[&str]) -> Self {
        Self { fields: Some(names.iter().map(|name| (*name).to_owned()).collect()), ..self }
    }

    pub(crate) fn response(&self) -> Response {
        let mut error = json!({"message": self.message, "errorCode": self.code});
        if let Some(fields) = &self.fields {
            error["fields"] = json!(fields);
        }
        Response::json(self.status, &json!([error]))
    }
}

impl From<SoqlError> for RestError {
    fn from(error: SoqlError) -> Self {
        Self::bad(error.code, error.message)
    }
}
