using System.Globalization;

namespace SafeLlama.Testing;

/// <summary>Whether a signal can reach a program that a test starts.</summary>
public static class Signals
{
    private static readonly Dictionary<string, int> Numbers = new() { ["HUP"] = 1, ["INT"] = 2, ["TERM"] = 15 };

    /// <summary>
    /// Skips the test where whoever started it ignores the signal, as <c>nohup</c> and background jobs of a shell do:
    /// its children inherit that.
    /// </summary>
    /// <param name="name">HUP, INT or TERM.</param>
    public static void RequireDelivered(string name)
    {
        const string Status = "/proc/self/status", Field = "SigIgn:";
        if (!File.Exists(Status))
        {
            return;
        }

        var ignored = File.ReadLines(Status).Single(line => line.StartsWith(Field, StringComparison.Ordinal));
        var mask = ulong.Parse(ignored[Field.Length..].Trim(), NumberStyles.HexNumber, CultureInfo.InvariantCulture);
        if ((mask >> (Numbers[name] - 1) & 1) != 0)
        {
            Assert.Ignore($"SIG{name} is ignored by whoever started the tests.");
        }
    }
}
