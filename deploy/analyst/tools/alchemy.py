"""SQLAlchemy, as Superset asks: tables and columns by reflection, then the question. Prints the rows as JSON."""
import json, os, pathlib
from urllib.parse import urlsplit

from sqlalchemy import create_engine, inspect, text

at = urlsplit(os.environ['LANEWATCH_CLICKHOUSE_URL'])
user, password = os.environ['LANEWATCH_CLICKHOUSE_USER'], os.environ['LANEWATCH_ANALYST_PASSWORD']
database = os.environ['LANEWATCH_CLICKHOUSE_DATABASE']
ledger = create_engine(f'clickhousedb://{user}:{password}@{at.hostname}:{at.port}/{database}')
found = inspect(ledger)
assert 'usage' in found.get_table_names(database) + found.get_view_names(database), 'usage is not listed'
assert {'person', 'cost_usd'} <= {column['name'] for column in found.get_columns('usage', database)}, 'columns are missing'
with ledger.connect() as connection:
    rows = connection.execute(text(pathlib.Path(__file__).with_name('question.sql').read_text())).fetchall()
print(json.dumps([[row[0], row[1], str(row[2])] for row in rows]))
