#include "ssh_config_keywords.hpp"

#include <algorithm>
#include <array>

namespace jackal::remote {
namespace {

using enum Value;
using enum Effect;

constexpr auto kKeywords = std::to_array<Keyword>({
    {"Host", anything, structure},
    {"Match", rest, structure},
    {"Include", anything, structure},
    {"IgnoreUnknown", word, structure},
    {"Tag", word, structure},

    {"AddressFamily", family, honoured},
    {"BindAddress", word, honoured},
    {"CertificateFile", word, honoured, true},
    {"Ciphers", word, honoured},
    {"Compression", flag, honoured},
    {"ConnectTimeout", time, honoured},
    {"GlobalKnownHostsFile", words, honoured},
    {"HostKeyAlgorithms", word, honoured},
    {"HostKeyAlias", word, honoured},
    {"HostName", word, honoured},
    {"IdentitiesOnly", flag, honoured},
    {"IdentityAgent", word, honoured},
    {"IdentityFile", word, honoured, true},
    {"IdentityFile2", word, honoured, true, "IdentityFile"},
    {"KexAlgorithms", word, honoured},
    {"MACs", word, honoured},
    {"Port", port, honoured},
    {"ProxyCommand", rest, honoured},
    {"ProxyJump", jump, honoured},
    {"PubkeyAcceptedAlgorithms", word, honoured},
    {"PubkeyAcceptedKeyTypes", word, honoured, false, "PubkeyAcceptedAlgorithms"},
    {"RefuseConnection", word, honoured},
    {"RequiredRSASize", number, honoured},
    {"StrictHostKeyChecking", strict, honoured},
    {"User", word, honoured},
    {"UserKnownHostsFile", words, honoured},

    {"BindInterface", word, lost},
    {"CanonicalizeHostname", word, lost},
    {"CheckHostIP", flag, lost},
    {"ConnectionAttempts", number, lost},
    {"DynamicForward", anything, lost, true},
    {"ForwardAgent", word, lost},
    {"ForwardX11", flag, lost},
    {"GSSAPIDelegateCredentials", flag, lost},
    {"GSSAPIKeyExchange", flag, lost},
    {"HostbasedAuthentication", flag, lost},
    {"KnownHostsCommand", rest, lost},
    {"LocalCommand", rest, lost},
    {"LocalForward", anything, lost, true},
    {"NoHostAuthenticationForLocalhost", flag, lost},
    {"PKCS11Provider", word, lost},
    {"SmartcardDevice", word, lost, false, "PKCS11Provider"},
    {"PreferredAuthentications", word, lost},
    {"ProxyUseFdpass", flag, lost},
    {"PubkeyAuthentication", word, lost},
    {"DSAAuthentication", word, lost, false, "PubkeyAuthentication"},
    {"RemoteCommand", rest, lost},
    {"RemoteForward", anything, lost, true},
    {"RevokedHostKeys", word, lost},
    {"SendEnv", anything, lost, true},
    {"SetEnv", anything, lost},
    {"Tunnel", word, lost},
    {"VerifyHostKeyDNS", word, lost},

    {"ControlPath", word, explains_refusal},
    {"SecurityKeyProvider", word, explains_refusal},
    {"UseKeychain", flag, explains_refusal},

    {"AddKeysToAgent", anything, harmless},
    {"BatchMode", flag, harmless},
    {"CanonicalDomains", anything, harmless},
    {"CanonicalizeFallbackLocal", flag, harmless},
    {"CanonicalizeMaxDots", number, harmless},
    {"CanonicalizePermittedCNAMEs", anything, harmless},
    {"CASignatureAlgorithms", word, harmless},
    {"ChallengeResponseAuthentication", flag, harmless},
    {"ChannelTimeout", anything, harmless},
    {"ClearAllForwardings", flag, harmless},
    {"ControlMaster", word, harmless},
    {"ControlPersist", word, harmless},
    {"EnableEscapeCommandline", flag, harmless},
    {"EnableSSHKeysign", flag, harmless},
    {"EscapeChar", word, harmless},
    {"ExitOnForwardFailure", flag, harmless},
    {"FingerprintHash", word, harmless},
    {"ForkAfterAuthentication", flag, harmless},
    {"ForwardX11Timeout", word, harmless},
    {"ForwardX11Trusted", flag, harmless},
    {"GatewayPorts", flag, harmless},
    {"GSSAPIAuthentication", flag, harmless},
    {"GSSAPIClientIdentity", word, harmless},
    {"GSSAPIKexAlgorithms", word, harmless},
    {"GSSAPIRenewalForcesRekey", flag, harmless},
    {"GSSAPIServerIdentity", word, harmless},
    {"GSSAPITrustDns", flag, harmless},
    {"HashKnownHosts", flag, harmless},
    {"HostbasedAcceptedAlgorithms", word, harmless},
    {"HostbasedKeyTypes", word, harmless},
    {"IPQoS", anything, harmless},
    {"KbdInteractiveAuthentication", flag, harmless},
    {"KbdInteractiveDevices", word, harmless},
    {"KeepAlive", flag, harmless},
    {"LogLevel", word, harmless},
    {"LogVerbose", anything, harmless},
    {"NumberOfPasswordPrompts", number, harmless},
    {"ObscureKeystrokeTiming", word, harmless},
    {"PasswordAuthentication", flag, harmless},
    {"PermitLocalCommand", flag, harmless},
    {"PermitRemoteOpen", anything, harmless},
    {"ProtocolKeepAlives", word, harmless},
    {"RekeyLimit", anything, harmless},
    {"RequestTTY", word, harmless},
    {"ServerAliveCountMax", number, harmless},
    {"ServerAliveInterval", word, harmless},
    {"SessionType", word, harmless},
    {"SetupTimeOut", word, harmless},
    {"SKeyAuthentication", flag, harmless},
    {"StdinNull", flag, harmless},
    {"StreamLocalBindMask", word, harmless},
    {"StreamLocalBindUnlink", flag, harmless},
    {"SyslogFacility", word, harmless},
    {"TCPKeepAlive", flag, harmless},
    {"TISAuthentication", flag, harmless},
    {"TunnelDevice", word, harmless},
    {"UpdateHostKeys", word, harmless},
    {"VersionAddendum", anything, harmless},
    {"VisualHostKey", flag, harmless},
    {"WarnWeakCrypto", anything, harmless},
    {"XAuthLocation", word, harmless},

    // OpenSSH itself only says that these are deprecated or unsupported.
    {"AFSTokenPassing", anything, harmless},
    {"Cipher", anything, harmless},
    {"CompressionLevel", anything, harmless},
    {"FallBackToRsh", anything, harmless},
    {"GlobalKnownHostsFile2", anything, harmless},
    {"KerberosAuthentication", anything, harmless},
    {"KerberosTGTPassing", anything, harmless},
    {"Protocol", anything, harmless},
    {"RhostsAuthentication", anything, harmless},
    {"RhostsRSAAuthentication", anything, harmless},
    {"RSAAuthentication", anything, harmless},
    {"UseBlacklistedKeys", anything, harmless},
    {"UsePrivilegedPort", anything, harmless},
    {"UserKnownHostsFile2", anything, harmless},
    {"UseRoaming", anything, harmless},
    {"UseRsh", anything, harmless},
});

char lower(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; }

}  // namespace

bool equals_ignoring_case(std::string_view a, std::string_view b) {
  return std::equal(a.begin(), a.end(), b.begin(), b.end(),
                    [](char x, char y) { return lower(x) == lower(y); });
}

std::string lower_case(std::string_view text) {
  std::string result(text);
  std::transform(result.begin(), result.end(), result.begin(), lower);
  return result;
}

const Keyword* find_keyword(std::string_view name) {
  const auto found = std::find_if(kKeywords.begin(), kKeywords.end(), [name](const Keyword& keyword) {
    return equals_ignoring_case(keyword.name, name);
  });
  return found == kKeywords.end() ? nullptr : &*found;
}

}  // namespace jackal::remote
