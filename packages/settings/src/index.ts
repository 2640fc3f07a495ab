// What an app needs to start: its settings, read from the environment and documented from the same list, and its
// process.
export { aborted, configOrFail, fail, stopSignal } from './app-process.ts';
export { ConfigError, readSettings, type Settings, type SettingValues } from './read-settings.ts';
export { type Setting, type SettingValue, setting } from './setting.ts';
export { settingsTable } from './settings-table.ts';
export { address, addresses, flag, host, integer, listOf, logLevel, milliseconds, port, token } from './values.ts';
