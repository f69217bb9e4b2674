.PHONY: test-kafka
test-kafka: ## the ingestion tests against a real Apache Kafka 4, from Maven Central
	GO='$(GO)' test/kafka/run.sh
