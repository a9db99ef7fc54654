; The Windows installer: for one user, without an administrator.
;
;   makensis -DVERSION=0.1.0 -DPAYLOAD=dist/stmviewer -DREMOVE=remove.nsh -DOUTFILE=stmviewer-setup.exe -DICON=stmviewer.ico stmviewer.nsi
;
; REMOVE is written by payload.py: every file and folder of PAYLOAD, so that uninstalling takes away what was installed
; and nothing else. -DQUICK compresses little, for tries. build_windows.ps1 does all of it.
;
; Settings, models and logs of the user lie in %LOCALAPPDATA%\stmviewer and are not touched, here or when uninstalling.
; Silent: stmviewer-setup.exe /S [/D=C:\folder]; exit code 2 when stmviewer is running, 3 when files cannot be written.

Target amd64-unicode
!include "MUI2.nsh"
!include "FileFunc.nsh"
!include "LogicLib.nsh"
!ifndef VERSION | PAYLOAD | REMOVE | OUTFILE | ICON
  !error "give -DVERSION, -DPAYLOAD, -DREMOVE, -DOUTFILE and -DICON"
!endif
!include "${REMOVE}"

!define UNINSTALL_KEY "Software\Microsoft\Windows\CurrentVersion\Uninstall\stmviewer"
!define CLASSES "Software\Classes"
!define PROGID "stmviewer.scan"
!define PROGRAM "stmviewer.exe"

Name "stmviewer"
OutFile "${OUTFILE}"
InstallDir "$LOCALAPPDATA\Programs\stmviewer"
InstallDirRegKey HKCU "${UNINSTALL_KEY}" "InstallLocation"
RequestExecutionLevel user
ManifestDPIAware true
BrandingText "stmviewer ${VERSION}"
!ifdef QUICK
  SetCompressor zlib
!else
  SetCompressor /SOLID lzma
  SetCompressorDictSize 64
!endif
VIProductVersion "${VERSION}.0"
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

; A program that runs cannot be opened for writing.
!macro WaitUntilClosed UN
Function ${UN}WaitUntilClosed
  again:
  IfFileExists "$INSTDIR\${PROGRAM}" 0 done
  ClearErrors
  FileOpen $0 "$INSTDIR\${PROGRAM}" a
  IfErrors 0 free
  SetErrorLevel 2
  MessageBox MB_RETRYCANCEL|MB_ICONEXCLAMATION "stmviewer is running. Close its windows (a training saves where it is), then try again." /SD IDCANCEL IDRETRY again
  SetErrorLevel 2
  Quit
  free:
  FileClose $0
  done:
FunctionEnd
!macroend
!insertmacro WaitUntilClosed ""
!insertmacro WaitUntilClosed "un."

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
  Call WaitUntilClosed
  ; over another version: its own uninstaller knows what it installed
  IfFileExists "$INSTDIR\uninstall.exe" 0 fresh
  DetailPrint "Taking out the version that is there"
  CopyFiles /SILENT "$INSTDIR\uninstall.exe" "$TEMP\stmviewer-uninstall.exe"
  ExecWait '"$TEMP\stmviewer-uninstall.exe" /S _?=$INSTDIR'
  Delete "$TEMP\stmviewer-uninstall.exe"
  fresh:

  SetOutPath "$INSTDIR"
  ClearErrors
  File /r "${PAYLOAD}/*"
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
