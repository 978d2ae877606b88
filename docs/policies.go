// Package docs holds the policies of the roles that xshare assumes, as they
// are documented: the embedded AWS seeds its roles with just these.
package docs

import _ "embed"

// DeployRolePolicy is what the deploy role needs, and ReadRolePolicy what the
// read role does.
var (
	//go:embed deploy-role.json
	DeployRolePolicy string
	//go:embed read-role.json
	ReadRolePolicy string
)
