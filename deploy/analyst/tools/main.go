// Package main asks the question with clickhouse-go over HTTP, as Grafana's plug-in does, and prints the rows as JSON.
package main

import (
	"encoding/json"
	"log"
	"net/url"
	"os"
	"time"

	"github.com/ClickHouse/clickhouse-go/v2"
	"github.com/shopspring/decimal"
)

func main() {
	at, err := url.Parse(os.Getenv("LANEWATCH_CLICKHOUSE_URL"))
	check(err)
	ledger := clickhouse.OpenDB(&clickhouse.Options{
		Protocol: clickhouse.HTTP,
		Addr:     []string{at.Host},
		Auth: clickhouse.Auth{
			Database: os.Getenv("LANEWATCH_CLICKHOUSE_DATABASE"),
			Username: os.Getenv("LANEWATCH_CLICKHOUSE_USER"),
			Password: os.Getenv("LANEWATCH_ANALYST_PASSWORD"),
		},
	})
	question, err := os.ReadFile(os.Args[1])
	check(err)
	rows, err := ledger.Query(string(question))
	check(err)
	answer := [][]any{}
	var requests, lastRequests int64
	var last string
	for rows.Next() {
		var usd decimal.Decimal
		var seen time.Time
		check(rows.Scan(&last, &lastRequests, &usd, &seen))
		answer = append(answer, []any{last, lastRequests, usd.String()})
	}
	check(rows.Err())
	check(ledger.QueryRow("SELECT sum(calls) FROM usage WHERE person = ?", last).Scan(&requests))
	if requests != lastRequests {
		log.Fatal("the parameter was not taken")
	}
	check(json.NewEncoder(os.Stdout).Encode(answer))
}

func check(err error) {
	if err != nil {
		log.Fatal(err)
	}
}
