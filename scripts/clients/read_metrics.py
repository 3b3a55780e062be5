"""Reads metrics as those who collect them do, and prints them as one JSON object: {"name{label=value,...}": number}.

read_metrics.py prometheus < text      Prometheus' text format, by its own client library
read_metrics.py otlp < json            OTLP in JSON, by OpenTelemetry's Protobuf classes
"""

import json
import sys

from google.protobuf import json_format
from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import ExportMetricsServiceRequest
from prometheus_client.parser import text_string_to_metric_families


def key(name, labels):
    return f"{name}{{{','.join(f'{k}={v}' for k, v in sorted(labels.items()))}}}"


def prometheus(text):
    families = list(text_string_to_metric_families(text))
    assert len({family.name for family in families}) == len(families), "a family stands there twice"
    return {key(sample.name, sample.labels): sample.value for family in families for sample in family.samples}


def otlp(text):
    request = json_format.Parse(text, ExportMetricsServiceRequest())
    found = {}
    for resource in request.resource_metrics:
        attributes = {each.key: each.value.string_value for each in resource.resource.attributes}
        found[key("resource", attributes)] = 1
        for metric in (metric for scope in resource.scope_metrics for metric in scope.metrics):
            kind = metric.WhichOneof("data")
            for point in getattr(metric, kind).data_points:
                assert point.time_unix_nano >= point.start_time_unix_nano > 10**18, point
                labels = {each.key: each.value.string_value for each in point.attributes}
                if kind == "histogram":
                    assert len(point.bucket_counts) == len(point.explicit_bounds) + 1
                    assert sum(point.bucket_counts) == point.count
                    found[key(metric.name, labels)] = point.count
                else:
                    found[key(metric.name, labels)] = point.as_double
    return found


print(json.dumps({"prometheus": prometheus, "otlp": otlp}[sys.argv[1]](sys.stdin.read())))
