; A program that does nothing but run, to try the installer with: makensis -DOUTFILE=stmviewer.exe -DSECONDS=30 standin.nsi
Target amd64-unicode
Name "stand-in"
OutFile "${OUTFILE}"
SilentInstall silent
RequestExecutionLevel user
Section
  IntOp $0 ${SECONDS} * 1000
  Sleep $0
SectionEnd
