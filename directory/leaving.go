package directory

import (
	"context"

	"github.com/varsel/varsel/internal/lots"
)

// ofConnections are the rows of an account's connections.
const ofConnections = `connection_id IN (SELECT id FROM connections WHERE account_id = $1)`

// Holdings counts what an account has here, by kind.
func (d *Directory) Holdings(ctx context.Context, account int64) (map[string]int, error) {
	return lots.Count(ctx, d.db, account, map[string]string{
		"connections":      `SELECT COUNT(*) FROM connections WHERE account_id = $1`,
		"directory_people": `SELECT COUNT(*) FROM mirror_people WHERE ` + ofConnections,
		"directory_groups": `SELECT COUNT(*) FROM mirror_groups WHERE ` + ofConnections,
	})
}

// ForgetAccount removes one lot of everything that an account has here, its access to
// directories too.
func (d *Directory) ForgetAccount(ctx context.Context, account int64) (lots.Done, error) {
	of := func(name, key string) lots.Table { return lots.Table{Name: name, Key: key, Where: ofConnections} }
	return lots.Delete(ctx, d.db, account,
		of("mirror_edges", "connection_id, group_id, member_id"),
		of("mirror_people", "connection_id, object_id"),
		of("mirror_groups", "connection_id, object_id"),
		of("held_people", "connection_id, object_id"),
		of("preview_people", "connection_id, object_id"),
		of("scim_members", "connection_id, group_id, member_id"),
		of("scim_keys", "connection_id, attribute, value_key, resource_id"),
		of("scim_resources", "connection_id, id"),
		of("scim_tokens", "id"),
		of("scim_connections", "connection_id"),
		of("directory_subscriptions", "connection_id, resource"),
		of("delta_links", "connection_id, round"),
		of("brake_approvals", "id"),
		of("sync_runs", "id"),
		lots.Table{Name: "directory_consents", Key: "state_hash"},
		lots.Table{Name: "access_checks", Key: "id"},
		lots.Table{Name: "connections", Key: "id"})
}
