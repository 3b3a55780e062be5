//! `/metrics`: the numbers of the service as Prometheus reads them.

use axum::{
    extract::State,
    http::header::CONTENT_TYPE,
    response::{IntoResponse, Response},
};

use super::app::App;
use crate::exposition::collect;

pub(super) async fn metrics(State(app): State<App>) -> Response {
    ([(CONTENT_TYPE, "text/plain; version=0.0.4; charset=utf-8")], collect(&app.herder).text()).into_response()
}
