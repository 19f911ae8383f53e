# Makes an Active Directory domain in the folder that is given, for LDAP alone: without root, extended attributes or DNS.
import grp, logging, os, pwd, sys

from samba.auth import system_session
from samba.dsdb import DS_DOMAIN_FUNCTION_2008_R2
from samba.provision import provision

folder, password = sys.argv[1], sys.stdin.read()
user = pwd.getpwuid(os.getuid()).pw_name
provision(
    logging.getLogger("provision"),
    system_session(),
    targetdir=folder,
    smbconf=os.path.join(folder, "none.conf"),
    realm="EXAMPLE.TEST",
    domain="EXAMPLE",
    hostname="dc1",
    hostip="127.0.0.1",
    adminpass=password,
    serverrole="active directory domain controller",
    dns_backend="NONE",
    skip_sysvolacl=True,
    dom_for_fun_level=DS_DOMAIN_FUNCTION_2008_R2,
    root=user,
    nobody=user,
    users=grp.getgrgid(os.getgid()).gr_name,
)
