; The Windows installer: for one user, without an administrator.
;
;   makensis -DVERSION=0.1.0 -DPAYLOAD=dist/stmviewer -DREMOVE=remove.nsh -DOUTFILE=stmviewer-setup.exe -DICON=stmviewer.ico stmviewer.nsi
;
; REMOVE is written by payload.py: every file and folder of PAYLOAD, so that uninstalling takes away what was installed
; and nothing else. -DQUICK compresses little, for tries. build_windows.ps1 does all of it.
;
; Settings, models and logs of the user lie in %LOCALAPPDATA%\stmviewer and are not touched, here or when uninstalling.
; Silent: stmviewer-setup.exe /S [/D=C:\folder]; exit code 2 when stmviewer is running, 3 when files cannot be written or
; removed, 4 on a Windows that is too old. -DNUMBERS=0.1.0.0 is the version as Windows counts, when it is not VERSION.0.

; Debian's NSIS can make 64-bit installers, that of nsis.sourceforge.io has the parts for 32 bit alone. Every 64-bit
; Windows runs both, and they install the same
!if /FileExists "${NSISDIR}/Stubs/zlib-amd64-unicode"
  Target amd64-unicode
!else
  Target x86-unicode
!endif
!include "MUI2.nsh"
!include "FileFunc.nsh"
!include "LogicLib.nsh"
!include "WinVer.nsh"
!include "x64.nsh"
!ifndef VERSION | PAYLOAD | REMOVE | OUTFILE | ICON
  !error "give -DVERSION, -DPAYLOAD, -DREMOVE, -DOUTFILE and -DICON"
!endif
!ifndef NUMBERS
  !define NUMBERS "${VERSION}.0"
!endif
!include "${REMOVE}"

!define UNINSTALL_KEY "Software\Microsoft\Windows\CurrentVersion\Uninstall\stmviewer"
!define CLASSES "Software\Classes"
!define PROGID "stmviewer.scan"
!define PROGRAM "stmviewer.exe"
!define CONSOLE_PROGRAM "stmviewer-cli.exe"

Name "stmviewer"
OutFile "${OUTFILE}"
InstallDir "$LOCALAPPDATA\Programs\stmviewer"
InstallDirRegKey HKCU "${UNINSTALL_KEY}" "InstallLocation"
RequestExecutionLevel user
ManifestDPIAware true
ManifestSupportedOS Win10 ; without it, Windows says that it is an older one
BrandingText "stmviewer ${VERSION}"
!ifdef QUICK
  SetCompressor zlib
!else
  SetCompressor /SOLID lzma
  SetCompressorDictSize 64
!endif
VIProductVersion "${NUMBERS}"
VIAddVersionKey "ProductName" "stmviewer"
VIAddVersionKey "FileDescription" "Installs stmviewer"
VIAddVersionKey "FileVersion" "${VERSION}"
VIAddVersionKey "ProductVersion" "${VERSION}"
VIAddVersionKey "LegalCopyright" "MIT licence; third parties in licences"

!define MUI_ICON "${ICON}"
!define MUI_UNICON "${ICON}"
!define MUI_ABORTWARNING
!define MUI_FINISHPAGE_RUN "$INSTDIR\${PROGRAM}"
!define MUI_FINISHPAGE_NOREBOOTSUPPORT
!insertmacro MUI_PAGE_WELCOME
!insertmacro MUI_PAGE_DIRECTORY
!insertmacro MUI_PAGE_INSTFILES
!insertmacro MUI_PAGE_FINISH
!insertmacro MUI_UNPAGE_CONFIRM
!insertmacro MUI_UNPAGE_INSTFILES
!insertmacro MUI_LANGUAGE "English"

; A program that runs cannot be opened for writing. That of the command line trains models. The folder is in $R0.
!macro WaitUntilClosed UN
Function ${UN}WaitUntilClosed
  again:
  ClearErrors
  ${If} ${FileExists} "$R0\${PROGRAM}"
    FileOpen $0 "$R0\${PROGRAM}" a
    IfErrors running
    FileClose $0
  ${EndIf}
  ${If} ${FileExists} "$R0\${CONSOLE_PROGRAM}"
    FileOpen $0 "$R0\${CONSOLE_PROGRAM}" a
    IfErrors running
    FileClose $0
  ${EndIf}
  Return
  running:
  MessageBox MB_RETRYCANCEL|MB_ICONEXCLAMATION "stmviewer is running. Close its windows (a training saves where it is), then try again." /SD IDCANCEL IDRETRY again
  SetErrorLevel 2
  Quit
FunctionEnd
!macroend
!insertmacro WaitUntilClosed ""
!insertmacro WaitUntilClosed "un."

Function .onInit
  ${IfNot} ${AtLeastWin10}
  ${OrIfNot} ${RunningX64}
    MessageBox MB_OK|MB_ICONSTOP "stmviewer needs Windows 10 or later, 64 bit." /SD IDOK
    SetErrorLevel 4
    Quit
  ${EndIf}
  SetRegView 64
FunctionEnd

Function un.onInit
  SetRegView 64
FunctionEnd

; Takes the version in the folder $R0 out, if there is one: its own uninstaller knows what it installed.
Function TakeOutOlder
  ${IfNot} ${FileExists} "$R0\uninstall.exe"
    Return
  ${EndIf}
  Call WaitUntilClosed
  InitPluginsDir
  DetailPrint "Taking out the version in $R0"
  ClearErrors
  CopyFiles /SILENT "$R0\uninstall.exe" "$PLUGINSDIR\older.exe"
  ; with _?= it does not go on in a second process, and can be waited for
  ExecWait '"$PLUGINSDIR\older.exe" /S _?=$R0' $1
  ${If} ${Errors}
  ${OrIf} $1 <> 0
    MessageBox MB_OK|MB_ICONSTOP "The version in $R0 could not be removed (code $1). Remove it under Apps in the settings of Windows, then try again." /SD IDOK
    SetErrorLevel 3
    Quit
  ${EndIf}
FunctionEnd

; Registers an extension in "Open with"; which program opens it by default stays the user's choice.
!macro RegisterExtension EXTENSION
  WriteRegStr HKCU "${CLASSES}\${EXTENSION}\OpenWithProgids" "${PROGID}" ""
  WriteRegStr HKCU "${CLASSES}\Applications\${PROGRAM}\SupportedTypes" "${EXTENSION}" ""
!macroend
!macro UnregisterExtension EXTENSION
  DeleteRegValue HKCU "${CLASSES}\${EXTENSION}\OpenWithProgids" "${PROGID}"
  DeleteRegKey /ifempty HKCU "${CLASSES}\${EXTENSION}\OpenWithProgids"
  DeleteRegKey /ifempty HKCU "${CLASSES}\${EXTENSION}"
!macroend

Section "stmviewer"
  StrCpy $R0 $INSTDIR
  Call WaitUntilClosed
  ; an older version may be in another folder: two would share one entry under Apps
  ReadRegStr $R1 HKCU "${UNINSTALL_KEY}" "InstallLocation"
  ${If} $R1 != ""
    StrCpy $R0 $R1
    Call TakeOutOlder
  ${EndIf}
  StrCpy $R0 $INSTDIR
  Call TakeOutOlder

  SetOutPath "$INSTDIR"
  ClearErrors
  File /r "${PAYLOAD}\*" ; a backslash: makensis takes it in a pattern on both systems
  IfErrors 0 written
  SetErrorLevel 3
  MessageBox MB_OK|MB_ICONSTOP "Some files could not be written to $INSTDIR. Is the disk full?" /SD IDOK
  Quit
  written:
  WriteUninstaller "$INSTDIR\uninstall.exe"

  CreateShortCut "$SMPROGRAMS\stmviewer.lnk" "$INSTDIR\${PROGRAM}" "" "$INSTDIR\${PROGRAM}" 0

  WriteRegStr HKCU "${CLASSES}\${PROGID}" "" "STM scan"
  WriteRegStr HKCU "${CLASSES}\${PROGID}\DefaultIcon" "" "$INSTDIR\${PROGRAM},0"
  WriteRegStr HKCU "${CLASSES}\${PROGID}\shell\open\command" "" '"$INSTDIR\${PROGRAM}" "%1"'
  WriteRegStr HKCU "${CLASSES}\Applications\${PROGRAM}\shell\open\command" "" '"$INSTDIR\${PROGRAM}" "%1"'
  WriteRegStr HKCU "${CLASSES}\Applications\${PROGRAM}" "FriendlyAppName" "stmviewer"
  ; .dat and .png belong to others
  !insertmacro RegisterExtension ".sxm"
  !insertmacro RegisterExtension ".3ds"
  !insertmacro RegisterExtension ".gwy"

  WriteRegStr HKCU "${UNINSTALL_KEY}" "DisplayName" "stmviewer"
  WriteRegStr HKCU "${UNINSTALL_KEY}" "DisplayVersion" "${VERSION}"
  WriteRegStr HKCU "${UNINSTALL_KEY}" "DisplayIcon" "$INSTDIR\${PROGRAM}"
  WriteRegStr HKCU "${UNINSTALL_KEY}" "Publisher" "The stmviewer authors"
  WriteRegStr HKCU "${UNINSTALL_KEY}" "InstallLocation" "$INSTDIR"
  WriteRegStr HKCU "${UNINSTALL_KEY}" "UninstallString" '"$INSTDIR\uninstall.exe"'
  WriteRegStr HKCU "${UNINSTALL_KEY}" "QuietUninstallString" '"$INSTDIR\uninstall.exe" /S'
  WriteRegDWORD HKCU "${UNINSTALL_KEY}" "NoModify" 1
  WriteRegDWORD HKCU "${UNINSTALL_KEY}" "NoRepair" 1
  ${GetSize} "$INSTDIR" "/S=0K" $0 $1 $2
  IntFmt $0 "0x%08X" $0
  WriteRegDWORD HKCU "${UNINSTALL_KEY}" "EstimatedSize" "$0"
  System::Call 'shell32::SHChangeNotify(i 0x08000000, i 0, p 0, p 0)'
SectionEnd

Section "Uninstall"
  StrCpy $R0 $INSTDIR
  Call un.WaitUntilClosed
  !insertmacro RemovePayload
  Delete "$INSTDIR\uninstall.exe"
  SetOutPath "$TEMP" ; a folder that is in use cannot be removed
  RMDir "$INSTDIR" ; stays if there is anything of the user's in it

  Delete "$SMPROGRAMS\stmviewer.lnk"
  !insertmacro UnregisterExtension ".sxm"
  !insertmacro UnregisterExtension ".3ds"
  !insertmacro UnregisterExtension ".gwy"
  DeleteRegKey HKCU "${CLASSES}\${PROGID}"
  DeleteRegKey HKCU "${CLASSES}\Applications\${PROGRAM}"
  DeleteRegKey HKCU "${UNINSTALL_KEY}"
  System::Call 'shell32::SHChangeNotify(i 0x08000000, i 0, p 0, p 0)'
SectionEnd
