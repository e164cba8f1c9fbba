mod live_table;
