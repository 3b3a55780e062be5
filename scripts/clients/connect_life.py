"""The life of a connector through two Kafka Connect clients that others wrote: kafka-connect-py and kafkaconnect.

connect_life.py URL < {"name": ..., "config": {...}}      prints what each step found, and fails where one is wrong
"""

import json
import sys
import time

from kafka_connect import KafkaConnect
from kafkaconnect.connect import Connect


def until(what, wanted):
    deadline = time.monotonic() + 30
    while True:
        found = what()
        if wanted(found):
            return found
        if time.monotonic() > deadline:
            raise SystemExit(f"found {found}")
        time.sleep(0.1)


def state(status, connector, task):
    tasks = [each["state"] for each in status["tasks"]]
    return status["connector"]["state"] == connector and tasks == ([task] if task else [])


def kafka_connect_py(url, name, config):
    client = KafkaConnect(url)
    assert set(client.get_cluster_info()) == {"version", "commit", "kafka_cluster_id"}
    made = client.create_connector({"name": name, "config": config})
    assert made["name"] == name and made["type"] == "source", made
    assert client.list_connectors() == [name]
    status = lambda: client.get_connector_status(name)
    until(status, lambda found: state(found, "RUNNING", "RUNNING"))
    assert list(client.list_connectors(expand="status", pattern="sales.*", state="RUNNING")) == [name]
    assert client.get_connector(name)["tasks"] == [{"connector": name, "task": 0}]
    assert client.get_connector_config(name)["connector.class"] == config["connector.class"]
    assert client.list_connector_tasks(name)[0]["id"] == {"connector": name, "task": 0}
    assert client.get_connector_task_status(name, 0)["state"] == "RUNNING"
    for call, connector, task in [
        (client.pause_connector, "PAUSED", "PAUSED"),
        (client.resume_connector, "RUNNING", "RUNNING"),
        (client.stop_connector, "STOPPED", None),
        (client.resume_connector, "RUNNING", "RUNNING"),
    ]:
        call(name)
        until(status, lambda found: state(found, connector, task))
    client.restart_connector(name, include_tasks=True, only_failed=False)
    client.restart_connector_task(name, 0)
    until(status, lambda found: state(found, "RUNNING", "RUNNING"))
    # A whole configuration as it was read, secrets masked: a read, change, write cycle as Terraform has it.
    changed = {**client.get_connector_config(name), "salesforce.push.topic.create": "true", "tasks.max": "1", "request.max.retries.time.ms": "60000"}
    client.update_connector(name, changed)
    assert client.get_connector_config(name)["request.max.retries.time.ms"] == "60000"
    until(status, lambda found: state(found, "RUNNING", "RUNNING"))
    assert client.list_connector_topics(name)[name]["topics"] == []
    client.reset_connector_topics(name)
    assert config["connector.class"] in [each["class"] for each in client.list_connector_plugins()]
    assert client.validate_connector_config(config["connector.class"], {**config, "name": name})["error_count"] == 0
    client.delete_connector(name)
    assert client.list_connectors() == []


def kafkaconnect(url, name, config):
    client = Connect(url)
    answer = lambda text: json.loads(text)
    assert answer(client.list()) == []
    client.create_or_update(name, json.dumps(config))
    until(lambda: answer(client.status(name)), lambda found: state(found, "RUNNING", "RUNNING"))
    assert answer(client.info(name))["name"] == name
    assert answer(client.config(name))["name"] == name
    assert answer(client.tasks(name))[0]["id"]["task"] == 0
    assert answer(client.topics(name)) == {name: {"topics": []}}
    client.pause(name)
    until(lambda: answer(client.status(name)), lambda found: state(found, "PAUSED", "PAUSED"))
    client.resume(name)
    client.restart(name)
    until(lambda: answer(client.status(name)), lambda found: state(found, "RUNNING", "RUNNING"))
    assert config["connector.class"] in client.plugins()
    assert answer(client.validate(config["connector.class"], json.dumps(config)))["error_count"] == 0
    client.create_or_update(name, json.dumps({**config, "request.max.retries.time.ms": "70000"}))
    assert answer(client.config(name))["request.max.retries.time.ms"] == "70000"
    client.remove(name)
    assert answer(client.list()) == []


def main():
    request = json.load(sys.stdin)
    url, name = sys.argv[1], request["name"]
    for client in (kafka_connect_py, kafkaconnect):
        client(url, name, request["config"])
        print(client.__name__, "ok")


main()
