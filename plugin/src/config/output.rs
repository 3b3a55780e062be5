//! The settings of format and converters, and the `Converter`s they make.

use super::settings::Settings;
use crate::converters::{Converter, DecimalFormat, JsonConverter, JsonOptions};

/// The converter of keys.
pub(super) fn key_converter() -> Converter {
    Converter::Json(JsonConverter::new(JsonOptions {
        decimal_format: DecimalFormat::Base64,
        replace_null_with_default: true,
    }))
}

/// The converter of values.
pub(super) fn value_converter(settings: &Settings<'_>) -> Converter {
    let numeric = settings.text("value.converter.decimal.format").eq_ignore_ascii_case("NUMERIC");
    Converter::Json(JsonConverter::new(JsonOptions {
        decimal_format: if numeric { DecimalFormat::Numeric } else { DecimalFormat::Base64 },
        replace_null_with_default: settings.flag("value.converter.replace.null.with.default"),
    }))
}
