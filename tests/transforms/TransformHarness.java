// The real transforms of Kafka Connect, for tests/transforms: reads one JSON request a line on stdin, writes one JSON answer
// a line on stdout. Run from source, with the jars of a Kafka broker (`make kafka`) on the class path.
//
// Requests, by `op`:
//   apply    stages [{type, config, predicate: {type, config}?, negate}], record {topic, partition?, timestamp?, key, value,
//            headers [{key, value}]}; key, value and header values are JsonConverter's envelopes {schema, payload}.
//            Answer: {record} in the same form, also as JsonConverter writes it without schemas (keyJson, valueJson) and with
//            the text of each header (SimpleHeaderConverter); or {dropped: true}; or {error: class and message} when a
//            transform or a converter throws.
//   format   pattern, ms                 -> {text} or {error}
//   parse    pattern, text               -> {ms} or {error}
//   regex    pattern, text, replacement  -> {text} (null: no match) or {error}
//   literal  text                        -> {type, text}

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.BufferedReader;
import java.io.InputStreamReader;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.text.SimpleDateFormat;
import java.util.ArrayList;
import java.util.Date;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.TimeZone;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.apache.kafka.connect.data.Schema;
import org.apache.kafka.connect.data.SchemaAndValue;
import org.apache.kafka.connect.data.Struct;
import org.apache.kafka.connect.data.Values;
import org.apache.kafka.connect.header.ConnectHeaders;
import org.apache.kafka.connect.header.Header;
import org.apache.kafka.connect.json.JsonConverter;
import org.apache.kafka.connect.source.SourceRecord;
import org.apache.kafka.connect.storage.SimpleHeaderConverter;
import org.apache.kafka.connect.transforms.Transformation;
import org.apache.kafka.connect.transforms.predicates.Predicate;

public class TransformHarness {
    static final ObjectMapper JSON = new ObjectMapper();
    static final JsonConverter CONVERTER = new JsonConverter();
    static final JsonConverter PLAIN = new JsonConverter();
    static final SimpleHeaderConverter HEADERS = new SimpleHeaderConverter();

    public static void main(String[] arguments) throws Exception {
        // What Connect logs has no place among the answers.
        PrintStream out = new PrintStream(System.out, false, StandardCharsets.UTF_8);
        System.setOut(System.err);
        CONVERTER.configure(Map.of("schemas.enable", "true", "replace.null.with.default", "false", "converter.type", "value"));
        PLAIN.configure(Map.of("schemas.enable", "false", "converter.type", "value"));
        HEADERS.configure(Map.of("converter.type", "header"));
        BufferedReader in = new BufferedReader(new InputStreamReader(System.in, StandardCharsets.UTF_8));
        for (String line = in.readLine(); line != null; line = in.readLine()) {
            ObjectNode answer = JSON.createObjectNode();
            try {
                answer(JSON.readTree(line), answer);
            } catch (StackOverflowError | Exception error) {
                answer.removeAll();
                answer.put("error", error.getClass().getSimpleName() + ": " + error.getMessage());
            }
            out.println(JSON.writeValueAsString(answer));
            out.flush();
        }
    }

    static void answer(JsonNode request, ObjectNode answer) throws Exception {
        switch (request.get("op").asText()) {
            case "apply" -> apply(request, answer);
            case "format" -> answer.put("text", format(request).format(new Date(request.get("ms").asLong())));
            case "parse" -> answer.put("ms", format(request).parse(request.get("text").asText()).getTime());
            case "regex" -> {
                Matcher matcher = Pattern.compile(request.get("pattern").asText()).matcher(request.get("text").asText());
                answer.put("text", matcher.matches() ? matcher.replaceFirst(request.get("replacement").asText()) : null);
            }
            case "literal" -> {
                SchemaAndValue literal = Values.parseString(request.get("text").asText());
                Schema schema = literal == null ? null : literal.schema();
                Object value = literal == null ? null : literal.value();
                answer.put("text", text(HEADERS.fromConnectHeader("t", "h", schema, value)));
                answer.put("type", schema == null ? null : schema.type().getName());
            }
            default -> throw new IllegalArgumentException("no such op");
        }
    }

    static String text(byte[] bytes) {
        return bytes == null ? null : new String(bytes, StandardCharsets.UTF_8);
    }

    static SimpleDateFormat format(JsonNode request) {
        SimpleDateFormat format = new SimpleDateFormat(request.get("pattern").asText());
        format.setTimeZone(TimeZone.getTimeZone("UTC"));
        return format;
    }

    static void apply(JsonNode request, ObjectNode answer) throws Exception {
        SourceRecord record = record(request.get("record"));
        List<Transformation<SourceRecord>> transformations = new ArrayList<>();
        List<Predicate<SourceRecord>> predicates = new ArrayList<>();
        for (JsonNode stage : request.get("stages")) {
            transformations.add(create(stage));
            predicates.add(stage.hasNonNull("predicate") ? create(stage.get("predicate")) : null);
        }
        for (int i = 0; i < transformations.size() && record != null; i++) {
            boolean negate = request.get("stages").get(i).path("negate").asBoolean();
            if (predicates.get(i) == null || predicates.get(i).test(record) != negate) {
                record = transformations.get(i).apply(record);
            }
        }
        if (record == null) {
            answer.put("dropped", true);
            return;
        }
        ObjectNode out = answer.putObject("record");
        out.put("topic", record.topic());
        out.put("partition", record.kafkaPartition());
        out.put("timestamp", record.timestamp());
        out.set("key", envelope(record.keySchema(), record.key()));
        out.set("value", envelope(record.valueSchema(), record.value()));
        out.put("keyJson", text(PLAIN.fromConnectData("t", record.keySchema(), record.key())));
        out.put("valueJson", text(PLAIN.fromConnectData("t", record.valueSchema(), record.value())));
        ArrayNode headers = out.putArray("headers");
        for (Header header : record.headers()) {
            ObjectNode node = headers.addObject();
            node.put("key", header.key());
            node.put("text", text(HEADERS.fromConnectHeader(record.topic(), header.key(), header.schema(), header.value())));
        }
    }

    @SuppressWarnings("unchecked")
    static <T extends org.apache.kafka.common.Configurable> T create(JsonNode plugin) throws Exception {
        T instance = (T) Class.forName(plugin.get("type").asText()).getDeclaredConstructor().newInstance();
        Map<String, String> config = new HashMap<>();
        plugin.get("config").fields().forEachRemaining(option -> config.put(option.getKey(), option.getValue().asText()));
        instance.configure(config);
        return instance;
    }

    static SourceRecord record(JsonNode node) {
        SchemaAndValue key = value(node.get("key"));
        SchemaAndValue value = value(node.get("value"));
        ConnectHeaders headers = new ConnectHeaders();
        for (JsonNode header : node.get("headers")) {
            headers.add(header.get("key").asText(), value(header.get("value")));
        }
        Integer partition = node.hasNonNull("partition") ? node.get("partition").asInt() : null;
        Long timestamp = node.hasNonNull("timestamp") ? node.get("timestamp").asLong() : null;
        return new SourceRecord(Map.of(), Map.of(), node.get("topic").asText(), partition,
                key.schema(), key.value(), value.schema(), value.value(), timestamp, headers);
    }

    static SchemaAndValue value(JsonNode envelope) {
        return CONVERTER.toConnectData("t", envelope.toString().getBytes(StandardCharsets.UTF_8));
    }

    static JsonNode envelope(Schema schema, Object value) throws Exception {
        if (value instanceof Struct struct) {
            struct.validate();
        }
        if (schema != null && value == null) {
            // The converter would put the default in its place, or fail where a null of a required schema has one.
            ObjectNode node = JSON.createObjectNode();
            node.set("schema", CONVERTER.asJsonSchema(schema));
            return node.putNull("payload");
        }
        byte[] bytes = CONVERTER.fromConnectData("t", schema, value);
        return bytes == null ? null : JSON.readTree(bytes);
    }
}
