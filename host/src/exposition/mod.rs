//! What is shown of a service in numbers: `page` holds families of metrics at one moment, `collect` makes one from the
//! connectors, `prometheus` writes it as text and `otlp` sends it away.

mod collect;
mod otlp;
mod page;
mod prometheus;

pub use collect::collect;
pub use otlp::Otlp;
pub use page::{Family, Kind, Page, Point, Series};
