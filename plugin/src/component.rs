//! The component: `Imports` over the contract's imports, and the contract's exports over `Driver`. The only file that is
//! compiled for WebAssembly alone, and the only one that reads `wit/`.

use std::cell::RefCell;

use crate::{
    config::{def, grant, keys, validate},
    driver::{Driver, Imports},
    error::{Failure, FailureKind},
    http::{HttpError, Method, Request, Response, Timeouts},
    offset::{self, Checkpoint, Scalar},
    preflight,
    task::{
        ProducerRecord, Task,
        preview::{self, Conversion},
    },
    telemetry::{Event, Level},
    time::{Deadline, Now},
    transforms::{
        classes,
        definition::{Class, Importance, Kind, OptionDef},
    },
};

mod bindings {
    wit_bindgen::generate!({
        path: "../wit",
        world: "tributary:connector/source-connector",
        generate_all,
    });
}

use bindings::{
    exports::tributary::connector::source as exported,
    tributary::connector::{producer, telemetry, types},
    wasi::{
        clocks::{monotonic_clock, wall_clock},
        http::{
            outgoing_handler,
            types::{
                ErrorCode, Fields, FutureIncomingResponse, IncomingBody, Method as WasiMethod, OutgoingBody,
                OutgoingRequest, RequestOptions, Scheme,
            },
        },
        io::{
            poll::{self, Pollable},
            streams::{InputStream, StreamError},
        },
        random::random,
    },
};

const NANOS_PER_MS: u64 = 1_000_000;
/// Most bytes taken from a response at once.
const READ_BYTES_MAX: u64 = 256 * 1024;

struct World;

/// A request in flight.
struct InFlight {
    origin: String,
    bytes_max: usize,
    stage: Stage,
}

enum Stage {
    Head(FutureIncomingResponse),
    Body { response: Response, stream: InputStream, _body: IncomingBody },
}

impl Imports for World {
    type Pending = InFlight;

    fn now(&mut self) -> Now {
        let wall = wall_clock::now();
        let wall_ms = i64::try_from(wall.seconds).unwrap_or(i64::MAX / 1_000).saturating_mul(1_000)
            + i64::from(wall.nanoseconds) / 1_000_000;
        Now { monotonic_ms: monotonic_clock::now() / NANOS_PER_MS, wall_ms }
    }

    fn start(&mut self, request: Request) -> Result<InFlight, HttpError> {
        let (scheme, authority, path) = split(&request.url)?;
        let origin = format!("{}{authority}", if scheme { "https://" } else { "http://" });
        let outgoing = OutgoingRequest::new(fields(&request)?);
        let invalid = |what: &str| HttpError::Invalid(what.to_owned());
        let method = match request.method {
            Method::Get => WasiMethod::Get,
            Method::Post => WasiMethod::Post,
        };
        outgoing.set_method(&method).map_err(|()| invalid("method"))?;
        outgoing
            .set_scheme(Some(if scheme { &Scheme::Https } else { &Scheme::Http }))
            .map_err(|()| invalid("scheme"))?;
        outgoing.set_authority(Some(authority)).map_err(|()| invalid("host"))?;
        outgoing.set_path_with_query(Some(path)).map_err(|()| invalid("path"))?;
        let body = outgoing.body().map_err(|()| invalid("body"))?;
        let future = outgoing_handler::handle(outgoing, Some(options(request.timeouts)))
            .map_err(|code| http_error(&code, &origin))?;
        write(body, &request.body);
        Ok(InFlight { origin, bytes_max: request.response_bytes_max, stage: Stage::Head(future) })
    }

    fn finish(&mut self, pending: &mut InFlight, until: Deadline) -> Option<Result<Response, HttpError>> {
        loop {
            let ready = match &mut pending.stage {
                Stage::Head(future) => match future.get() {
                    None => future.subscribe(),
                    Some(head) => match head
                        .unwrap_or(Err(ErrorCode::InternalError(None)))
                        .map_err(|c| http_error(&c, &pending.origin))
                        .and_then(|incoming| {
                            let headers = incoming.headers().entries().into_iter().map(|(name, value)| {
                                (name.to_ascii_lowercase(), String::from_utf8_lossy(&value).into_owned())
                            });
                            let response =
                                Response { status: incoming.status(), headers: headers.collect(), body: Vec::new() };
                            let broken = |()| HttpError::Broken("the body cannot be read".into());
                            let body = incoming.consume().map_err(broken)?;
                            let stream = body.stream().map_err(broken)?;
                            Ok(Stage::Body { response, stream, _body: body })
                        }) {
                        Ok(stage) => {
                            pending.stage = stage;
                            continue;
                        }
                        Err(error) => return Some(Err(error)),
                    },
                },
                Stage::Body { response, stream, .. } => match stream.read(READ_BYTES_MAX) {
                    Ok(bytes) if bytes.is_empty() => stream.subscribe(),
                    Ok(bytes) if response.body.len() + bytes.len() > pending.bytes_max => {
                        return Some(Err(HttpError::BodyTooLarge { bytes_max: pending.bytes_max }));
                    }
                    Ok(bytes) => {
                        response.body.extend_from_slice(&bytes);
                        continue;
                    }
                    Err(StreamError::Closed) => return Some(Ok(std::mem::take(response))),
                    Err(StreamError::LastOperationFailed(error)) => {
                        return Some(Err(HttpError::Broken(error.to_debug_string())));
                    }
                },
            };
            if !wait(&ready, until) {
                return None;
            }
        }
    }

    fn send(&mut self, batch: Vec<ProducerRecord>) -> Result<(), Failure> {
        let batch: Vec<types::ProducerRecord> = batch.into_iter().map(Into::into).collect();
        producer::send(&batch).map_err(|error| match error {
            producer::SendError::Stopping => {
                Failure::new(FailureKind::Transient, "STOPPING", "The runtime is stopping the task")
            }
            producer::SendError::Failed(reason) => Failure::new(FailureKind::Fatal, "SEND_FAILED", reason),
        })
    }

    fn emit(&mut self, event: &Event) {
        if let Some((name, delta)) = event.counter() {
            telemetry::counter_add(name, &[], delta);
        }
        for (name, value) in event.gauges() {
            telemetry::gauge_set(name, &[], value);
        }
        if event.is_only_counted() {
            return;
        }
        let level = match event.level() {
            Level::Error => telemetry::Level::Error,
            Level::Warn => telemetry::Level::Warn,
            Level::Info => telemetry::Level::Info,
            Level::Debug => telemetry::Level::Debug,
        };
        let fields: Vec<(String, String)> =
            event.fields().into_iter().map(|(name, value)| (name.to_owned(), value)).collect();
        telemetry::log(level, event.name(), &event.message(), &fields);
    }
}

/// Whether it is https, the authority, and path with query of an absolute URL.
fn split(url: &str) -> Result<(bool, &str, &str), HttpError> {
    let (https, rest) = match (url.strip_prefix("https://"), url.strip_prefix("http://")) {
        (Some(rest), _) => (true, rest),
        (None, Some(rest)) => (false, rest),
        (None, None) => return Err(HttpError::Invalid("the URL is neither https nor http".into())),
    };
    let at = rest.find('/').unwrap_or(rest.len());
    Ok((https, &rest[..at], if at == rest.len() { "/" } else { &rest[at..] }))
}

fn fields(request: &Request) -> Result<Fields, HttpError> {
    let mut list: Vec<(String, Vec<u8>)> =
        request.headers.iter().map(|(name, value)| ((*name).to_owned(), value.expose().as_bytes().to_vec())).collect();
    if request.method == Method::Post {
        list.push(("content-length".into(), request.body.len().to_string().into_bytes()));
    }
    Fields::from_list(&list)
        .map_err(|_| HttpError::Invalid("a header holds a character that headers do not have".into()))
}

/// Time-outs for the runtime. One that it does not support is kept by the deadline of the whole request instead.
fn options(timeouts: Timeouts) -> RequestOptions {
    let options = RequestOptions::new();
    let _ = options.set_connect_timeout(Some(timeouts.connect_ms.saturating_mul(NANOS_PER_MS)));
    let _ = options.set_first_byte_timeout(Some(timeouts.first_byte_ms.saturating_mul(NANOS_PER_MS)));
    let _ = options.set_between_bytes_timeout(Some(timeouts.between_bytes_ms.saturating_mul(NANOS_PER_MS)));
    options
}

/// Writes a request's body. What goes wrong here shows in the response, with a better reason.
fn write(body: OutgoingBody, bytes: &[u8]) {
    if let Ok(stream) = body.write() {
        let mut rest = bytes;
        while !rest.is_empty() {
            match stream.check_write() {
                Ok(0) => stream.subscribe().block(),
                Ok(permitted) => {
                    let count = usize::try_from(permitted).unwrap_or(usize::MAX).min(rest.len());
                    if stream.write(&rest[..count]).is_err() {
                        break;
                    }
                    rest = &rest[count..];
                }
                Err(_) => break,
            }
        }
    }
    let _ = OutgoingBody::finish(body, None);
}

/// Waits until `ready` or the deadline; false when the deadline came first.
fn wait(ready: &Pollable, until: Deadline) -> bool {
    if ready.ready() {
        return true;
    }
    let timer = monotonic_clock::subscribe_instant(until.0.saturating_mul(NANOS_PER_MS));
    poll::poll(&[ready, &timer]).contains(&0)
}

fn http_error(code: &ErrorCode, origin: &str) -> HttpError {
    let detail = format!("{origin}: {}", describe(code));
    match code {
        ErrorCode::HttpRequestDenied => HttpError::Denied { origin: origin.to_owned() },
        ErrorCode::DnsTimeout | ErrorCode::DnsError(_) => HttpError::Dns(detail),
        ErrorCode::DestinationNotFound
        | ErrorCode::DestinationUnavailable
        | ErrorCode::DestinationIpProhibited
        | ErrorCode::DestinationIpUnroutable
        | ErrorCode::ConnectionRefused
        | ErrorCode::ConnectionTimeout
        | ErrorCode::ConnectionLimitReached => HttpError::Connect(detail),
        ErrorCode::TlsProtocolError | ErrorCode::TlsCertificateError | ErrorCode::TlsAlertReceived(_) => {
            HttpError::Tls(detail)
        }
        ErrorCode::ConnectionReadTimeout | ErrorCode::ConnectionWriteTimeout | ErrorCode::HttpResponseTimeout => {
            HttpError::Timeout(detail)
        }
        ErrorCode::HttpRequestUriInvalid | ErrorCode::HttpRequestMethodInvalid => HttpError::Invalid(detail),
        _ => HttpError::Broken(detail),
    }
}

fn describe(code: &ErrorCode) -> String {
    match code {
        ErrorCode::InternalError(Some(reason)) => crate::error::excerpt(reason, 300),
        ErrorCode::DnsError(payload) => payload.rcode.clone().unwrap_or_else(|| "no such name".into()),
        other => {
            format!("{other:?}").split_once("::").map_or_else(|| format!("{other:?}"), |(_, name)| name.to_owned())
        }
    }
}

impl From<ProducerRecord> for types::ProducerRecord {
    fn from(record: ProducerRecord) -> Self {
        let headers = record.headers.into_iter().map(|(key, value)| types::Header { key, value });
        Self {
            topic: record.topic,
            partition: record.partition,
            key: record.key,
            value: record.value,
            headers: headers.collect(),
            timestamp_ms: record.timestamp_ms,
        }
    }
}

impl From<Failure> for types::Failure {
    fn from(failure: Failure) -> Self {
        let kind = match failure.kind {
            FailureKind::Config => types::FailureKind::Config,
            FailureKind::Auth => types::FailureKind::Auth,
            FailureKind::Throttled => types::FailureKind::Throttled,
            FailureKind::Transient => types::FailureKind::Transient,
            FailureKind::OffsetLost => types::FailureKind::OffsetLost,
            FailureKind::BadRecord => types::FailureKind::BadRecord,
            FailureKind::Fatal => types::FailureKind::Fatal,
        };
        Self { kind, code: failure.code, message: failure.message, retry_after_ms: failure.retry_after_ms }
    }
}

impl From<preflight::Check> for exported::Check {
    fn from(check: preflight::Check) -> Self {
        let status = match check.status {
            preflight::Status::Pass => exported::CheckStatus::Pass,
            preflight::Status::Warn => exported::CheckStatus::Warn,
            preflight::Status::Fail => exported::CheckStatus::Fail,
        };
        Self { name: check.name.into(), status, message: check.message, remedy: check.remedy }
    }
}

fn scalars(pairs: Vec<(String, types::Scalar)>) -> Vec<(String, Scalar)> {
    let scalar = |value| match value {
        types::Scalar::Null => Scalar::Null,
        types::Scalar::Boolean(value) => Scalar::Boolean(value),
        types::Scalar::Integer(value) => Scalar::Integer(value),
        types::Scalar::Float(value) => Scalar::Float(value),
        types::Scalar::Text(value) => Scalar::Text(value),
    };
    pairs.into_iter().map(|(name, value)| (name, scalar(value))).collect()
}

fn to_scalars(pairs: Vec<(String, Scalar)>) -> Vec<(String, types::Scalar)> {
    let scalar = |value| match value {
        Scalar::Null => types::Scalar::Null,
        Scalar::Boolean(value) => types::Scalar::Boolean(value),
        Scalar::Integer(value) => types::Scalar::Integer(value),
        Scalar::Float(value) => types::Scalar::Float(value),
        Scalar::Text(value) => types::Scalar::Text(value),
    };
    pairs.into_iter().map(|(name, value)| (name, scalar(value))).collect()
}

fn definition(key: &def::Key) -> exported::ConfigDefinition {
    exported::ConfigDefinition {
        name: key.name.into(),
        config_type: match key.kind {
            def::Type::Boolean => exported::ConfigType::Boolean,
            def::Type::String => exported::ConfigType::String,
            def::Type::Int => exported::ConfigType::Int,
            def::Type::Long => exported::ConfigType::Long,
            def::Type::Password => exported::ConfigType::Password,
            def::Type::Class => exported::ConfigType::Class,
            def::Type::List => exported::ConfigType::List,
        },
        default_value: key.default.map(Into::into),
        required: key.required,
        importance: match key.importance {
            def::Importance::High => exported::Importance::High,
            def::Importance::Medium => exported::Importance::Medium,
            def::Importance::Low => exported::Importance::Low,
        },
        documentation: key.full_documentation(),
        valid_values: key.validator.valid_values(),
        group: key.group.into(),
        order_in_group: i32::try_from(keys::order_in_group(key)).unwrap_or(i32::MAX),
        width: match key.width {
            def::Width::Short => exported::Width::Short,
            def::Width::Medium => exported::Width::Medium,
            def::Width::Long => exported::Width::Long,
        },
        display_name: key.display_name.into(),
        dependents: key.dependents.iter().map(|name| (*name).to_owned()).collect(),
        is_file: key.is_file,
    }
}

/// A transform or predicate with its options.
fn plugin(class: &Class) -> exported::Plugin {
    let option = |(index, option): (usize, &OptionDef)| exported::ConfigDefinition {
        name: option.name.into(),
        config_type: match option.kind {
            Kind::String => exported::ConfigType::String,
            Kind::List => exported::ConfigType::List,
            Kind::Boolean => exported::ConfigType::Boolean,
            Kind::Int => exported::ConfigType::Int,
        },
        default_value: option.default.map(Into::into),
        required: option.required,
        importance: match option.importance {
            Importance::High => exported::Importance::High,
            Importance::Medium => exported::Importance::Medium,
            Importance::Low => exported::Importance::Low,
        },
        documentation: option.documentation.into(),
        valid_values: option.check.valid_values(),
        group: String::new(),
        order_in_group: i32::try_from(index + 1).unwrap_or(i32::MAX),
        width: exported::Width::None,
        display_name: option.name.into(),
        dependents: Vec::new(),
        is_file: false,
    };
    exported::Plugin {
        classes: class.forms.endings().iter().map(|ending| format!("{}{ending}", class.name)).collect(),
        kind: match class.is_predicate() {
            true => exported::PluginKind::Predicate,
            false => exported::PluginKind::Transformation,
        },
        documentation: class.documentation.into(),
        config: class.options.iter().enumerate().map(option).collect(),
    }
}

thread_local! {
    static DRIVER: RefCell<Option<Driver<World>>> = const { RefCell::new(None) };
}

/// There is no stderr: what a panic has to say goes out as telemetry, then the instance traps.
fn report_panics() {
    std::panic::set_hook(Box::new(|info| {
        let place = info.location().map_or_else(String::new, |at| format!("{}:{}", at.file(), at.line()));
        telemetry::log(telemetry::Level::Error, "panicked", &format!("The component panicked at {place}"), &[]);
    }));
}

struct Component;

mod entry {
    #![expect(unsafe_code, reason = "the generated entry points follow the component model's ABI")]
    super::bindings::export!(Component with_types_in super::bindings);
    use super::Component;
}

impl exported::Guest for Component {
    fn describe() -> exported::Description {
        exported::Description {
            classes: keys::CLASSES.iter().map(|class| (*class).to_owned()).collect(),
            version: env!("CARGO_PKG_VERSION").into(),
            summary: "Carries Salesforce PushTopic events into Apache Kafka".into(),
            config: keys::all().map(definition).collect(),
            network: keys::NETWORK.iter().map(|pattern| (*pattern).to_owned()).collect(),
            plugins: classes::CLASSES.iter().map(plugin).collect(),
        }
    }

    fn validate(config: Vec<(String, String)>) -> Vec<exported::ConfigValue> {
        let value = |value: validate::ConfigValue| exported::ConfigValue {
            recommended_values: keys::find(&value.name).map_or_else(Vec::new, |key| match key.validator {
                def::Validator::OneOf(values) => values.iter().map(|value| (*value).to_owned()).collect(),
                _ => Vec::new(),
            }),
            name: value.name,
            value: value.value,
            errors: value.errors,
            warnings: value.warnings,
            visible: true,
        };
        let mut values = validate::validate(&config);
        grant::warn_of_certificate(&config, World.now().wall_ms, &mut values);
        values.into_iter().map(value).collect()
    }

    fn validate_offset(
        partition: Vec<(String, types::Scalar)>,
        offset: Option<Vec<(String, types::Scalar)>>,
    ) -> Result<(), String> {
        offset::validate(&scalars(partition), offset.map(scalars).as_deref())
    }

    fn configure(
        config: Vec<(String, String)>,
        committed_offset: Option<Vec<(String, types::Scalar)>>,
    ) -> Result<(), types::Failure> {
        report_panics();
        let config = validate::parse(&config)?;
        let committed = committed_offset.map(scalars).map(|offset| Checkpoint::read(&offset)).transpose();
        let committed = committed.map_err(|reason| {
            Failure::new(FailureKind::Config, "OFFSET_INVALID", format!("The stored offset cannot be used: {reason}"))
        })?;
        let task = Task::new(config, committed, random::get_random_u64());
        DRIVER.with_borrow_mut(|driver| *driver = Some(Driver::new(World, task)));
        Ok(())
    }

    fn poll(max_wait_ms: u32) -> Result<exported::Progress, types::Failure> {
        DRIVER.with_borrow_mut(|driver| {
            let Some(driver) = driver else {
                let message = "poll was called before configure";
                return Err(Failure::new(FailureKind::Fatal, "NOT_CONFIGURED", message).into());
            };
            let progress = driver.poll(max_wait_ms.into())?;
            Ok(exported::Progress {
                sent: u32::try_from(progress.sent).unwrap_or(u32::MAX),
                offset: driver.checkpoint().map(|checkpoint| to_scalars(checkpoint.write())),
                next_poll_after_ms: u32::try_from(progress.next_poll_after_ms).unwrap_or(u32::MAX),
            })
        })
    }

    fn convert(
        config: Vec<(String, String)>,
        schema: Option<Vec<u8>>,
        events: Vec<String>,
    ) -> Result<Vec<exported::Conversion>, types::Failure> {
        report_panics();
        let config = validate::parse(&config)?;
        let converted = preview::convert(&config, schema.as_deref(), &events, World.now().wall_ms)?;
        let conversion = |conversion| match conversion {
            Conversion::Record(record) => exported::Conversion::Made(record.into()),
            Conversion::Dropped => exported::Conversion::Dropped,
            Conversion::Failed(reason) => exported::Conversion::Failed(reason),
        };
        Ok(converted.into_iter().map(conversion).collect())
    }

    fn preflight(max_wait_ms: u32) -> Result<exported::PreflightProgress, types::Failure> {
        DRIVER.with_borrow_mut(|driver| {
            let Some(driver) = driver else {
                let message = "preflight was called before configure";
                return Err(Failure::new(FailureKind::Fatal, "NOT_CONFIGURED", message).into());
            };
            let examination = driver.preflight(max_wait_ms.into());
            Ok(exported::PreflightProgress {
                checks: examination.checks.into_iter().map(Into::into).collect(),
                topics: examination.topics,
                done: examination.done,
            })
        })
    }

    fn commit_offset(_offset: Vec<(String, types::Scalar)>) -> Result<(), types::Failure> {
        // Salesforce keeps no positions for its clients: there is nobody to tell.
        Ok(())
    }

    fn close(max_wait_ms: u32) {
        DRIVER.with_borrow_mut(|driver| {
            if let Some(mut driver) = driver.take() {
                driver.close(max_wait_ms.into());
            }
        });
    }
}
