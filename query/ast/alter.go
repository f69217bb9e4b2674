package ast

// Alter is ALTER TABLE with its commands in order.
type Alter struct {
	Range
	Table     TableName
	OnCluster string
	Commands  []*AlterCommand
	Settings  []Setting
}

// AlterKind is one kind of ALTER command.
type AlterKind uint8

// The commands; the comment names the fields of AlterCommand in use beside IfExists and IfNotExists.
const (
	AlterAddColumn             AlterKind = iota // Column, First or After
	AlterDropColumn                             // Name, Partition (CLEAR COLUMN ... IN PARTITION with Clear)
	AlterModifyColumn                           // Column, First or After, Remove, Settings, ResetSettings
	AlterRenameColumn                           // Name, NewName
	AlterCommentColumn                          // Name, Comment
	AlterMaterializeColumn                      // Name, Partition
	AlterAddIndex                               // Index, First or After
	AlterDropIndex                              // Name, Partition, Clear
	AlterMaterializeIndex                       // Name, Partition
	AlterAddProjection                          // Projection, First or After
	AlterDropProjection                         // Name, Partition, Clear
	AlterMaterializeProjection                  // Name, Partition
	AlterAddConstraint                          // Constraint
	AlterDropConstraint                         // Name
	AlterModifyTTL                              // TTL
	AlterRemoveTTL                              // -
	AlterMaterializeTTL                         // Partition
	AlterModifySetting                          // Settings
	AlterResetSetting                           // ResetSettings
	AlterModifyOrderBy                          // Expr
	AlterModifySampleBy                         // Expr
	AlterRemoveSampleBy                         // -
	AlterModifyComment                          // Comment
	AlterModifyQuery                            // Query
	AlterDelete                                 // Expr, Partition
	AlterUpdate                                 // Assignments, Expr, Partition
	AlterDropPartition                          // Partition, Detached
	AlterDetachPartition                        // Partition
	AlterAttachPartition                        // Partition, FromTable
	AlterReplacePartition                       // Partition, FromTable
	AlterMovePartition                          // Partition, ToTable, or Target and TargetKind
	AlterFreezePartition                        // Partition (nil: all), Name
	AlterUnfreezePartition                      // Partition (nil: all), Name
	AlterFetchPartition                         // Partition, Name (path)
	AlterForgetPartition                        // Partition
	AlterApplyDeletedMask                       // Partition
	AlterModifyRefresh                          // Refresh
)

// AlterCommand is one command of an ALTER TABLE.
type AlterCommand struct {
	Range
	Kind          AlterKind
	IfExists      bool
	IfNotExists   bool
	Column        *ColumnDef
	Index         *IndexDef
	Projection    *ProjectionDef
	Constraint    *ConstraintDef
	Name, NewName string
	First         bool
	After         string
	Clear         bool
	// Remove is the property of MODIFY COLUMN c REMOVE property: DEFAULT, MATERIALIZED, ALIAS, COMMENT, CODEC, TTL or SETTINGS.
	Remove        string
	Comment       string
	TTL           []*TTLItem
	Settings      []Setting
	ResetSettings []string
	Expr          Expr
	Assignments   []*Assignment
	Query         *SelectUnion
	Refresh       *Refresh
	Partition     *Partition
	Detached      bool
	FromTable     *TableName
	ToTable       *TableName
	Target        string // disk, volume or shard
	TargetKind    string // DISK, VOLUME or SHARD
}

// Partition names one partition, one part, or all.
type Partition struct {
	Range
	All  bool   // PARTITION ALL
	ID   string // PARTITION ID 'id'
	Part string // PART 'name'
	Expr Expr   // PARTITION expr
}

func (*Alter) statement() {}
