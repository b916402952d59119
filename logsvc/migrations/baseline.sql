CREATE TABLE "auth_group" ("id" integer NOT NULL PRIMARY KEY AUTOINCREMENT, "name" varchar(150) NOT NULL UNIQUE);
CREATE TABLE "auth_group_permissions" ("id" integer NOT NULL PRIMARY KEY AUTOINCREMENT, "group_id" integer NOT NULL REFERENCES "auth_group" ("id") DEFERRABLE INITIALLY DEFERRED, "permission_id" integer NOT NULL REFERENCES "auth_permission" ("id") DEFERRABLE INITIALLY DEFERRED);
CREATE TABLE "auth_permission" ("id" integer NOT NULL PRIMARY KEY AUTOINCREMENT, "content_type_id" integer NOT NULL REFERENCES "django_content_type" ("id") DEFERRABLE INITIALLY DEFERRED, "codename" varchar(100) NOT NULL, "name" varchar(255) NOT NULL);
CREATE TABLE "auth_user" ("id" integer NOT NULL PRIMARY KEY AUTOINCREMENT, "password" varchar(128) NOT NULL, "last_login" datetime NULL, "is_superuser" bool NOT NULL, "username" varchar(150) NOT NULL UNIQUE, "last_name" varchar(150) NOT NULL, "email" varchar(254) NOT NULL, "is_staff" bool NOT NULL, "is_active" bool NOT NULL, "date_joined" datetime NOT NULL, "first_name" varchar(150) NOT NULL);
CREATE TABLE "auth_user_groups" ("id" integer NOT NULL PRIMARY KEY AUTOINCREMENT, "user_id" integer NOT NULL REFERENCES "auth_user" ("id") DEFERRABLE INITIALLY DEFERRED, "group_id" integer NOT NULL REFERENCES "auth_group" ("id") DEFERRABLE INITIALLY DEFERRED);
CREATE TABLE "auth_user_user_permissions" ("id" integer NOT NULL PRIMARY KEY AUTOINCREMENT, "user_id" integer NOT NULL REFERENCES "auth_user" ("id") DEFERRABLE INITIALLY DEFERRED, "permission_id" integer NOT NULL REFERENCES "auth_permission" ("id") DEFERRABLE INITIALLY DEFERRED);
CREATE TABLE "django_admin_log" ("id" integer NOT NULL PRIMARY KEY AUTOINCREMENT, "object_id" text NULL, "object_repr" varchar(200) NOT NULL, "action_flag" smallint unsigned NOT NULL CHECK ("action_flag" >= 0), "change_message" text NOT NULL, "content_type_id" integer NULL REFERENCES "django_content_type" ("id") DEFERRABLE INITIALLY DEFERRED, "user_id" integer NOT NULL REFERENCES "auth_user" ("id") DEFERRABLE INITIALLY DEFERRED, "action_time" datetime NOT NULL);
CREATE TABLE "django_content_type" ("id" integer NOT NULL PRIMARY KEY AUTOINCREMENT, "app_label" varchar(100) NOT NULL, "model" varchar(100) NOT NULL);
CREATE TABLE "django_migrations" ("id" integer NOT NULL PRIMARY KEY AUTOINCREMENT, "app" varchar(255) NOT NULL, "name" varchar(255) NOT NULL, "applied" datetime NOT NULL);
CREATE TABLE "django_session" ("session_key" varchar(40) NOT NULL PRIMARY KEY, "session_data" text NOT NULL, "expire_date" datetime NOT NULL);
CREATE TABLE "logsvc_alertmessage" ("id" integer NOT NULL PRIMARY KEY AUTOINCREMENT, "webhook_id" varchar(40) NOT NULL UNIQUE, "kind" varchar(40) NOT NULL, "body" text NOT NULL, "created_at" datetime NOT NULL, "attempts" smallint unsigned NOT NULL CHECK ("attempts" >= 0), "due_at" datetime NULL, "delivered_at" datetime NULL, "status" smallint unsigned NULL CHECK ("status" >= 0), "error" varchar(300) NOT NULL, "rule_id" bigint NOT NULL REFERENCES "logsvc_alertrule" ("id") DEFERRABLE INITIALLY DEFERRED);
CREATE TABLE "logsvc_alertrule" ("id" integer NOT NULL PRIMARY KEY AUTOINCREMENT, "name" varchar(100) NOT NULL, "owner" varchar(100) NOT NULL, "services" text NULL CHECK ((JSON_VALID("services") OR "services" IS NULL)), "query" text NOT NULL, "condition" varchar(10) NOT NULL, "threshold" integer unsigned NOT NULL CHECK ("threshold" >= 0), "window_seconds" integer unsigned NOT NULL CHECK ("window_seconds" >= 0), "quiet_seconds" integer unsigned NOT NULL CHECK ("quiet_seconds" >= 0), "url" varchar(500) NOT NULL, "secret" text NOT NULL, "is_enabled" bool NOT NULL, "state" varchar(6) NOT NULL, "since" datetime NULL, "count" bigint unsigned NULL CHECK ("count" >= 0), "trouble" varchar(300) NOT NULL, "evaluated_at" datetime NULL, "told_at" datetime NULL, "is_told" bool NOT NULL, "created_at" datetime NOT NULL, "changed_at" datetime NOT NULL, CONSTRAINT "one_alert_rule_of_a_name" UNIQUE ("owner", "name"), CONSTRAINT "alert_window_within_a_day" CHECK (("window_seconds" >= 10 AND "window_seconds" <= 86400)), CONSTRAINT "alert_quiet_within_a_month" CHECK ("quiet_seconds" <= 2592000), CONSTRAINT "alert_condition_known" CHECK ("condition" IN ('more-than', 'fewer-than')), CONSTRAINT "alert_state_known" CHECK ("state" IN ('ok', 'firing')));
CREATE TABLE logsvc_count (
        width INTEGER NOT NULL, start INTEGER NOT NULL, service TEXT NOT NULL, level TEXT NOT NULL,
        records INTEGER NOT NULL, stored_bytes INTEGER NOT NULL, PRIMARY KEY (width, start, service, level)
    ) WITHOUT ROWID
    ;
CREATE TABLE logsvc_head (
        one INTEGER PRIMARY KEY CHECK (one = 1), seq INTEGER NOT NULL, pruned_seq INTEGER NOT NULL
    );
CREATE TABLE logsvc_log (
        id INTEGER PRIMARY KEY, seq INTEGER NOT NULL, received_ns INTEGER NOT NULL, time_ns INTEGER NOT NULL,
        observed_ns INTEGER NOT NULL, severity INTEGER NOT NULL CHECK (severity BETWEEN 0 AND 24),
        severity_text TEXT NOT NULL, service TEXT NOT NULL, instance TEXT NOT NULL, host TEXT NOT NULL,
        logger TEXT NOT NULL, body TEXT NOT NULL, attributes TEXT NOT NULL, trace_id TEXT NOT NULL,
        span_id TEXT NOT NULL, uid BLOB, token TEXT NOT NULL, notes TEXT NOT NULL
    );
CREATE TABLE "logsvc_retentionrule" ("id" integer NOT NULL PRIMARY KEY AUTOINCREMENT, "service" varchar(100) NOT NULL, "level" varchar(11) NOT NULL, "keep_days" integer unsigned NULL CHECK ("keep_days" >= 0), "keep_mebibytes" integer unsigned NULL CHECK ("keep_mebibytes" >= 0), "is_archived" bool NOT NULL, CONSTRAINT "one_retention_rule_each" UNIQUE ("service", "level"), CONSTRAINT "retention_rule_says_something" CHECK (("keep_days" IS NOT NULL OR "keep_mebibytes" IS NOT NULL OR "is_archived")));
CREATE TABLE "logsvc_savedsearch" ("id" integer NOT NULL PRIMARY KEY AUTOINCREMENT, "name" varchar(100) NOT NULL, "owner" varchar(100) NOT NULL, "query" text NOT NULL, "description" varchar(500) NOT NULL, "created_at" datetime NOT NULL, "changed_at" datetime NOT NULL, CONSTRAINT "one_saved_search_of_a_name" UNIQUE ("owner", "name"));
CREATE VIRTUAL TABLE logsvc_text USING fts5 (
        words, tags, content = '', columnsize = 0, tokenize = "ascii tokenchars '_'"
    );
CREATE TABLE "tokens_auditentry" ("id" integer NOT NULL PRIMARY KEY AUTOINCREMENT, "at" datetime NOT NULL, "kind" varchar(10) NOT NULL, "who" varchar(150) NOT NULL, "author" varchar(150) NOT NULL, "what" varchar(300) NOT NULL, "address" varchar(45) NOT NULL, "times" integer unsigned NOT NULL CHECK ("times" >= 0), CONSTRAINT "tokens_audit_kind_known" CHECK ("kind" IN ('created', 'changed', 'revoked', 'refused')));
CREATE TABLE "tokens_token" ("id" integer NOT NULL PRIMARY KEY AUTOINCREMENT, "name" varchar(100) NOT NULL UNIQUE, "prefix" varchar(12) NOT NULL, "digest" varchar(64) NOT NULL UNIQUE, "scopes" text NOT NULL CHECK ((JSON_VALID("scopes") OR "scopes" IS NULL)), "created_at" datetime NOT NULL, "revoked_at" datetime NULL, "expires_at" datetime NULL, "last_used_at" datetime NULL, "limits" text NOT NULL CHECK ((JSON_VALID("limits") OR "limits" IS NULL)));
INSERT INTO "auth_permission" ("id", "content_type_id", "codename", "name") VALUES (1,1,'add_retentionrule','Can add retention rule');
INSERT INTO "auth_permission" ("id", "content_type_id", "codename", "name") VALUES (2,1,'change_retentionrule','Can change retention rule');
INSERT INTO "auth_permission" ("id", "content_type_id", "codename", "name") VALUES (3,1,'delete_retentionrule','Can delete retention rule');
INSERT INTO "auth_permission" ("id", "content_type_id", "codename", "name") VALUES (4,1,'view_retentionrule','Can view retention rule');
INSERT INTO "auth_permission" ("id", "content_type_id", "codename", "name") VALUES (5,1,'view_records','Can read every log record');
INSERT INTO "auth_permission" ("id", "content_type_id", "codename", "name") VALUES (6,2,'add_alertrule','Can add alert rule');
INSERT INTO "auth_permission" ("id", "content_type_id", "codename", "name") VALUES (7,2,'change_alertrule','Can change alert rule');
INSERT INTO "auth_permission" ("id", "content_type_id", "codename", "name") VALUES (8,2,'delete_alertrule','Can delete alert rule');
INSERT INTO "auth_permission" ("id", "content_type_id", "codename", "name") VALUES (9,2,'view_alertrule','Can view alert rule');
INSERT INTO "auth_permission" ("id", "content_type_id", "codename", "name") VALUES (10,3,'add_savedsearch','Can add saved search');
INSERT INTO "auth_permission" ("id", "content_type_id", "codename", "name") VALUES (11,3,'change_savedsearch','Can change saved search');
INSERT INTO "auth_permission" ("id", "content_type_id", "codename", "name") VALUES (12,3,'delete_savedsearch','Can delete saved search');
INSERT INTO "auth_permission" ("id", "content_type_id", "codename", "name") VALUES (13,3,'view_savedsearch','Can view saved search');
INSERT INTO "auth_permission" ("id", "content_type_id", "codename", "name") VALUES (14,4,'add_alertmessage','Can add alert message');
INSERT INTO "auth_permission" ("id", "content_type_id", "codename", "name") VALUES (15,4,'change_alertmessage','Can change alert message');
INSERT INTO "auth_permission" ("id", "content_type_id", "codename", "name") VALUES (16,4,'delete_alertmessage','Can delete alert message');
INSERT INTO "auth_permission" ("id", "content_type_id", "codename", "name") VALUES (17,4,'view_alertmessage','Can view alert message');
INSERT INTO "auth_permission" ("id", "content_type_id", "codename", "name") VALUES (18,5,'add_token','Can add token');
INSERT INTO "auth_permission" ("id", "content_type_id", "codename", "name") VALUES (19,5,'change_token','Can change token');
INSERT INTO "auth_permission" ("id", "content_type_id", "codename", "name") VALUES (20,5,'delete_token','Can delete token');
INSERT INTO "auth_permission" ("id", "content_type_id", "codename", "name") VALUES (21,5,'view_token','Can view token');
INSERT INTO "auth_permission" ("id", "content_type_id", "codename", "name") VALUES (22,5,'revoke_token','Can revoke a token');
INSERT INTO "auth_permission" ("id", "content_type_id", "codename", "name") VALUES (23,6,'add_auditentry','Can add audit entry');
INSERT INTO "auth_permission" ("id", "content_type_id", "codename", "name") VALUES (24,6,'change_auditentry','Can change audit entry');
INSERT INTO "auth_permission" ("id", "content_type_id", "codename", "name") VALUES (25,6,'delete_auditentry','Can delete audit entry');
INSERT INTO "auth_permission" ("id", "content_type_id", "codename", "name") VALUES (26,6,'view_auditentry','Can view audit entry');
INSERT INTO "auth_permission" ("id", "content_type_id", "codename", "name") VALUES (27,7,'add_logentry','Can add log entry');
INSERT INTO "auth_permission" ("id", "content_type_id", "codename", "name") VALUES (28,7,'change_logentry','Can change log entry');
INSERT INTO "auth_permission" ("id", "content_type_id", "codename", "name") VALUES (29,7,'delete_logentry','Can delete log entry');
INSERT INTO "auth_permission" ("id", "content_type_id", "codename", "name") VALUES (30,7,'view_logentry','Can view log entry');
INSERT INTO "auth_permission" ("id", "content_type_id", "codename", "name") VALUES (31,8,'add_permission','Can add permission');
INSERT INTO "auth_permission" ("id", "content_type_id", "codename", "name") VALUES (32,8,'change_permission','Can change permission');
INSERT INTO "auth_permission" ("id", "content_type_id", "codename", "name") VALUES (33,8,'delete_permission','Can delete permission');
INSERT INTO "auth_permission" ("id", "content_type_id", "codename", "name") VALUES (34,8,'view_permission','Can view permission');
INSERT INTO "auth_permission" ("id", "content_type_id", "codename", "name") VALUES (35,9,'add_group','Can add group');
INSERT INTO "auth_permission" ("id", "content_type_id", "codename", "name") VALUES (36,9,'change_group','Can change group');
INSERT INTO "auth_permission" ("id", "content_type_id", "codename", "name") VALUES (37,9,'delete_group','Can delete group');
INSERT INTO "auth_permission" ("id", "content_type_id", "codename", "name") VALUES (38,9,'view_group','Can view group');
INSERT INTO "auth_permission" ("id", "content_type_id", "codename", "name") VALUES (39,10,'add_user','Can add user');
INSERT INTO "auth_permission" ("id", "content_type_id", "codename", "name") VALUES (40,10,'change_user','Can change user');
INSERT INTO "auth_permission" ("id", "content_type_id", "codename", "name") VALUES (41,10,'delete_user','Can delete user');
INSERT INTO "auth_permission" ("id", "content_type_id", "codename", "name") VALUES (42,10,'view_user','Can view user');
INSERT INTO "auth_permission" ("id", "content_type_id", "codename", "name") VALUES (43,11,'add_contenttype','Can add content type');
INSERT INTO "auth_permission" ("id", "content_type_id", "codename", "name") VALUES (44,11,'change_contenttype','Can change content type');
INSERT INTO "auth_permission" ("id", "content_type_id", "codename", "name") VALUES (45,11,'delete_contenttype','Can delete content type');
INSERT INTO "auth_permission" ("id", "content_type_id", "codename", "name") VALUES (46,11,'view_contenttype','Can view content type');
INSERT INTO "auth_permission" ("id", "content_type_id", "codename", "name") VALUES (47,12,'add_session','Can add session');
INSERT INTO "auth_permission" ("id", "content_type_id", "codename", "name") VALUES (48,12,'change_session','Can change session');
INSERT INTO "auth_permission" ("id", "content_type_id", "codename", "name") VALUES (49,12,'delete_session','Can delete session');
INSERT INTO "auth_permission" ("id", "content_type_id", "codename", "name") VALUES (50,12,'view_session','Can view session');
INSERT INTO "django_content_type" ("id", "app_label", "model") VALUES (1,'logsvc','retentionrule');
INSERT INTO "django_content_type" ("id", "app_label", "model") VALUES (2,'logsvc','alertrule');
INSERT INTO "django_content_type" ("id", "app_label", "model") VALUES (3,'logsvc','savedsearch');
INSERT INTO "django_content_type" ("id", "app_label", "model") VALUES (4,'logsvc','alertmessage');
INSERT INTO "django_content_type" ("id", "app_label", "model") VALUES (5,'tokens','token');
INSERT INTO "django_content_type" ("id", "app_label", "model") VALUES (6,'tokens','auditentry');
INSERT INTO "django_content_type" ("id", "app_label", "model") VALUES (7,'admin','logentry');
INSERT INTO "django_content_type" ("id", "app_label", "model") VALUES (8,'auth','permission');
INSERT INTO "django_content_type" ("id", "app_label", "model") VALUES (9,'auth','group');
INSERT INTO "django_content_type" ("id", "app_label", "model") VALUES (10,'auth','user');
INSERT INTO "django_content_type" ("id", "app_label", "model") VALUES (11,'contenttypes','contenttype');
INSERT INTO "django_content_type" ("id", "app_label", "model") VALUES (12,'sessions','session');
INSERT INTO "django_migrations" ("id", "app", "name", "applied") VALUES (1,'contenttypes','0001_initial',strftime('%Y-%m-%d %H:%M:%f','now'));
INSERT INTO "django_migrations" ("id", "app", "name", "applied") VALUES (2,'auth','0001_initial',strftime('%Y-%m-%d %H:%M:%f','now'));
INSERT INTO "django_migrations" ("id", "app", "name", "applied") VALUES (3,'admin','0001_initial',strftime('%Y-%m-%d %H:%M:%f','now'));
INSERT INTO "django_migrations" ("id", "app", "name", "applied") VALUES (4,'admin','0002_logentry_remove_auto_add',strftime('%Y-%m-%d %H:%M:%f','now'));
INSERT INTO "django_migrations" ("id", "app", "name", "applied") VALUES (5,'admin','0003_logentry_add_action_flag_choices',strftime('%Y-%m-%d %H:%M:%f','now'));
INSERT INTO "django_migrations" ("id", "app", "name", "applied") VALUES (6,'contenttypes','0002_remove_content_type_name',strftime('%Y-%m-%d %H:%M:%f','now'));
INSERT INTO "django_migrations" ("id", "app", "name", "applied") VALUES (7,'auth','0002_alter_permission_name_max_length',strftime('%Y-%m-%d %H:%M:%f','now'));
INSERT INTO "django_migrations" ("id", "app", "name", "applied") VALUES (8,'auth','0003_alter_user_email_max_length',strftime('%Y-%m-%d %H:%M:%f','now'));
INSERT INTO "django_migrations" ("id", "app", "name", "applied") VALUES (9,'auth','0004_alter_user_username_opts',strftime('%Y-%m-%d %H:%M:%f','now'));
INSERT INTO "django_migrations" ("id", "app", "name", "applied") VALUES (10,'auth','0005_alter_user_last_login_null',strftime('%Y-%m-%d %H:%M:%f','now'));
INSERT INTO "django_migrations" ("id", "app", "name", "applied") VALUES (11,'auth','0006_require_contenttypes_0002',strftime('%Y-%m-%d %H:%M:%f','now'));
INSERT INTO "django_migrations" ("id", "app", "name", "applied") VALUES (12,'auth','0007_alter_validators_add_error_messages',strftime('%Y-%m-%d %H:%M:%f','now'));
INSERT INTO "django_migrations" ("id", "app", "name", "applied") VALUES (13,'auth','0008_alter_user_username_max_length',strftime('%Y-%m-%d %H:%M:%f','now'));
INSERT INTO "django_migrations" ("id", "app", "name", "applied") VALUES (14,'auth','0009_alter_user_last_name_max_length',strftime('%Y-%m-%d %H:%M:%f','now'));
INSERT INTO "django_migrations" ("id", "app", "name", "applied") VALUES (15,'auth','0010_alter_group_name_max_length',strftime('%Y-%m-%d %H:%M:%f','now'));
INSERT INTO "django_migrations" ("id", "app", "name", "applied") VALUES (16,'auth','0011_update_proxy_permissions',strftime('%Y-%m-%d %H:%M:%f','now'));
INSERT INTO "django_migrations" ("id", "app", "name", "applied") VALUES (17,'auth','0012_alter_user_first_name_max_length',strftime('%Y-%m-%d %H:%M:%f','now'));
INSERT INTO "django_migrations" ("id", "app", "name", "applied") VALUES (18,'logsvc','0001_record',strftime('%Y-%m-%d %H:%M:%f','now'));
INSERT INTO "django_migrations" ("id", "app", "name", "applied") VALUES (19,'logsvc','0002_store',strftime('%Y-%m-%d %H:%M:%f','now'));
INSERT INTO "django_migrations" ("id", "app", "name", "applied") VALUES (20,'logsvc','0003_retention_rule',strftime('%Y-%m-%d %H:%M:%f','now'));
INSERT INTO "django_migrations" ("id", "app", "name", "applied") VALUES (21,'logsvc','0004_alerts',strftime('%Y-%m-%d %H:%M:%f','now'));
INSERT INTO "django_migrations" ("id", "app", "name", "applied") VALUES (22,'sessions','0001_initial',strftime('%Y-%m-%d %H:%M:%f','now'));
INSERT INTO "django_migrations" ("id", "app", "name", "applied") VALUES (23,'tokens','0001_initial',strftime('%Y-%m-%d %H:%M:%f','now'));
INSERT INTO "django_migrations" ("id", "app", "name", "applied") VALUES (24,'tokens','0002_expiry_limits_and_audit',strftime('%Y-%m-%d %H:%M:%f','now'));
INSERT INTO "logsvc_head" ("one", "seq", "pruned_seq") VALUES (1,0,0);
CREATE INDEX "alert_message_due" ON "logsvc_alertmessage" ("due_at") WHERE "due_at" IS NOT NULL;
CREATE INDEX "auth_group_permissions_group_id_b120cbf9" ON "auth_group_permissions" ("group_id");
CREATE UNIQUE INDEX "auth_group_permissions_group_id_permission_id_0cd325b0_uniq" ON "auth_group_permissions" ("group_id", "permission_id");
CREATE INDEX "auth_group_permissions_permission_id_84c5c92e" ON "auth_group_permissions" ("permission_id");
CREATE INDEX "auth_permission_content_type_id_2f476e4b" ON "auth_permission" ("content_type_id");
CREATE UNIQUE INDEX "auth_permission_content_type_id_codename_01ab375a_uniq" ON "auth_permission" ("content_type_id", "codename");
CREATE INDEX "auth_user_groups_group_id_97559544" ON "auth_user_groups" ("group_id");
CREATE INDEX "auth_user_groups_user_id_6a12ed8b" ON "auth_user_groups" ("user_id");
CREATE UNIQUE INDEX "auth_user_groups_user_id_group_id_94350c0c_uniq" ON "auth_user_groups" ("user_id", "group_id");
CREATE INDEX "auth_user_user_permissions_permission_id_1fbb5f2c" ON "auth_user_user_permissions" ("permission_id");
CREATE INDEX "auth_user_user_permissions_user_id_a95ead1b" ON "auth_user_user_permissions" ("user_id");
CREATE UNIQUE INDEX "auth_user_user_permissions_user_id_permission_id_14a6b632_uniq" ON "auth_user_user_permissions" ("user_id", "permission_id");
CREATE INDEX "django_admin_log_content_type_id_c4bce8eb" ON "django_admin_log" ("content_type_id");
CREATE INDEX "django_admin_log_user_id_c564eba6" ON "django_admin_log" ("user_id");
CREATE UNIQUE INDEX "django_content_type_app_label_model_76bd3d3b_uniq" ON "django_content_type" ("app_label", "model");
CREATE INDEX "django_session_expire_date_a5c62663" ON "django_session" ("expire_date");
CREATE INDEX "logsvc_alertmessage_rule_id_5e44fa90" ON "logsvc_alertmessage" ("rule_id");
CREATE UNIQUE INDEX logsvc_log_seq ON logsvc_log (seq);
CREATE UNIQUE INDEX logsvc_log_uid ON logsvc_log (uid) WHERE uid IS NOT NULL;
CREATE INDEX "tokens_audit_kind" ON "tokens_auditentry" ("kind", "id");
