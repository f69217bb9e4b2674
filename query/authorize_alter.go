package query

import (
	"github.com/olapd/olapd/internal/access"
	"github.com/olapd/olapd/query/ast"
)

// alterPrivileges are those of ALTER's commands; the commands that need more are in alterNeed.
var alterPrivileges = map[ast.AlterKind]string{
	ast.AlterAddIndex: "ALTER ADD INDEX", ast.AlterMaterializeIndex: "ALTER MATERIALIZE INDEX",
	ast.AlterAddProjection: "ALTER ADD PROJECTION", ast.AlterMaterializeProjection: "ALTER MATERIALIZE PROJECTION",
	ast.AlterAddConstraint: "ALTER ADD CONSTRAINT", ast.AlterDropConstraint: "ALTER DROP CONSTRAINT",
	ast.AlterModifyTTL: "ALTER TTL", ast.AlterRemoveTTL: "ALTER TTL", ast.AlterMaterializeTTL: "ALTER MATERIALIZE TTL",
	ast.AlterModifySetting: "ALTER SETTINGS", ast.AlterResetSetting: "ALTER SETTINGS", ast.AlterModifyOrderBy: "ALTER ORDER BY",
	ast.AlterModifySampleBy: "ALTER SAMPLE BY", ast.AlterRemoveSampleBy: "ALTER SAMPLE BY", ast.AlterModifyComment: "ALTER MODIFY COMMENT",
	ast.AlterModifyQuery: "ALTER VIEW MODIFY QUERY", ast.AlterModifyRefresh: "ALTER VIEW MODIFY REFRESH", ast.AlterDelete: "ALTER DELETE", ast.AlterDropPartition: "ALTER DELETE",
	ast.AlterDetachPartition: "ALTER DELETE", ast.AlterForgetPartition: "ALTER DELETE", ast.AlterApplyDeletedMask: "ALTER DELETE",
	ast.AlterFreezePartition: "ALTER FREEZE PARTITION", ast.AlterUnfreezePartition: "ALTER FREEZE PARTITION", ast.AlterFetchPartition: "ALTER FETCH PARTITION",
}

// columnPrivileges are those of commands on one column.
var columnPrivileges = map[ast.AlterKind]string{ast.AlterAddColumn: "ALTER ADD COLUMN", ast.AlterDropColumn: "ALTER DROP COLUMN",
	ast.AlterModifyColumn: "ALTER MODIFY COLUMN", ast.AlterRenameColumn: "ALTER RENAME COLUMN", ast.AlterCommentColumn: "ALTER COMMENT COLUMN",
	ast.AlterMaterializeColumn: "ALTER MATERIALIZE COLUMN"}

func (x *statement) alterNeeds(s *ast.Alter) ([]access.Need, error) {
	db, name, err := x.table(s.Table)
	if err != nil {
		return nil, err
	}
	var needs []access.Need
	for _, c := range s.Commands {
		more, err := x.alterNeed(db, name, c)
		if err != nil {
			return nil, err
		}
		needs = append(needs, more...)
	}
	return needs, nil
}

// alterNeed is what one command needs; one that is not known needs everything that ALTER TABLE is.
func (x *statement) alterNeed(db, name string, c *ast.AlterCommand) ([]access.Need, error) {
	on := func(privilege string, columns ...string) []access.Need {
		return one(access.On(privilege, db, name, columns...))
	}
	if p := columnPrivileges[c.Kind]; p != "" {
		if c.Clear {
			p = "ALTER CLEAR COLUMN"
		}
		column := c.Name
		if c.Column != nil {
			column = c.Column.Name
		}
		return on(p, column), nil
	}
	if p := alterPrivileges[c.Kind]; p != "" {
		return on(p), nil
	}
	clearOr := func(what string) []access.Need {
		if c.Clear {
			return on("ALTER CLEAR " + what)
		}
		return on("ALTER DROP " + what)
	}
	switch c.Kind {
	case ast.AlterDropIndex:
		return clearOr("INDEX"), nil
	case ast.AlterDropProjection:
		return clearOr("PROJECTION"), nil
	case ast.AlterUpdate:
		return on("ALTER UPDATE", assigned(c.Assignments)...), nil
	case ast.AlterAttachPartition, ast.AlterReplacePartition:
		needs := on("INSERT")
		if c.Kind == ast.AlterReplacePartition {
			needs = append(needs, on("ALTER DELETE")...)
		}
		if c.FromTable != nil {
			from, table, err := x.table(*c.FromTable)
			if err != nil {
				return nil, err
			}
			needs = append(one(access.On("SELECT", from, table)), needs...)
		}
		return needs, nil
	case ast.AlterMovePartition:
		if c.ToTable == nil {
			return on("ALTER MOVE PARTITION"), nil
		}
		to, table, err := x.table(*c.ToTable)
		return append(on("ALTER MOVE PARTITION"), append(append(on("SELECT"), on("ALTER DELETE")...), access.On("INSERT", to, table))...), err
	}
	return on("ALTER TABLE"), nil
}
