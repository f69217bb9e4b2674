// The words that are coloured as keywords, and proposed. Words that are as often the names of columns (user, date, hour) are not here.
export const keywords = new Set(`add after alias all alter analyze and anti any array as asc asof async attach backup between by case cast check clear cluster column columns
constraint create cross cube database databases deduplicate default delete desc describe detach dictionary distinct drop else end engine
except exists explain extract false fill filter final first following for format freeze from full function global grant group grouping having
if ilike in index indexes inf inner insert intersect interval into is isnull join kill left like limit live materialize materialized modify
mutation nan not null nulls offset on optimize or order outer over partition pipeline populate preceding prewhere primary projection qualify
range recursive rename replace revoke right rollup row rows sample select semi set sets settings show storage sync syntax system table tables
temporary then ties to top totals true truncate ttl unbounded union update use using values view watch when where window with`.split(/\s+/));
