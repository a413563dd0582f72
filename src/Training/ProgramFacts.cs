using System.Text.RegularExpressions;
using SafeLlama.Distributed;
using SafeLlama.Kernels;

namespace SafeLlama.Training;

/// <summary>What a rank computes with: two that differ might differ in the last digit.</summary>
public static partial class ProgramFacts
{
    /// <summary>The program's version and build, and the device with its vectors, by name.</summary>
    public static IEnumerable<KeyValuePair<string, string>> Of(IBackend backend) =>
    [
        KeyValuePair.Create("the version", typeof(IBackend).Assembly.GetName().Version!.ToString(3)),
        KeyValuePair.Create(
            "the program's build",
            string.Join(' ', new[] { typeof(IBackend), typeof(ICommunicator), typeof(ProgramFacts) }
                .Select(type => type.Module.ModuleVersionId.ToString("N")[..8]))),
        KeyValuePair.Create("the device", Threads().Replace(backend.Name, "")),
    ];

    /// <summary>Threads change no result.</summary>
    [GeneratedRegex(", [0-9]+ threads?")]
    private static partial Regex Threads();
}
