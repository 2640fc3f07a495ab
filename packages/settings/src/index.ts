// What an app reads from its environment: one list behind its configuration and its documentation.
export { ConfigError, readSettings, type Settings, type SettingValues } from './read-settings.ts';
export { type Setting, type SettingValue, setting } from './setting.ts';
export { settingsTable } from './settings-table.ts';
export { address, addresses, flag, host, integer, listOf, logLevel, milliseconds, port, token } from './values.ts';
