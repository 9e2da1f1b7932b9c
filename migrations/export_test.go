package migrations

// Provider is for tests, which go down again.
var Provider = provider
