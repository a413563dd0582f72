using System.Text.Encodings.Web;
using System.Text.Json;
using SafeLlama.Common;

namespace SafeLlama.Data;

/// <summary>One source file of a mixture.</summary>
/// <param name="Path">As the user named it.</param>
/// <param name="Sha256">Hash of its bytes.</param>
/// <param name="Role"><c>base</c> or <c>safety</c>; <c>recovery</c> or <c>harmful, not learned</c> where a defense
/// reads it.</param>
/// <param name="Rows">Rows it holds.</param>
/// <param name="Used">Rows that are in the mixture.</param>
/// <param name="License">As the user gave it; null where none was given.</param>
public sealed record ManifestSource(string Path, string Sha256, string Role, int Rows, int Used, string? License);

/// <summary>Everything needed to describe a mixture and to reproduce it.</summary>
public sealed record MixtureManifest
{
    /// <summary>Seed of both draws and of the order.</summary>
    public required long Seed { get; init; }

    /// <summary>Whether larger mixtures hold smaller ones.</summary>
    public required bool Nested { get; init; }

    /// <summary>Nb.</summary>
    public required int BaseCount { get; init; }

    /// <summary>Ns.</summary>
    public required int SafetyCount { get; init; }

    /// <summary>ρ = Ns / (Nb + Ns).</summary>
    public required double SafetyShare { get; init; }

    /// <summary>Share of the safety rows whose answer opens with a refusal, by string match.</summary>
    public required double RefusalShare { get; init; }

    /// <summary>The files.</summary>
    public required IReadOnlyList<ManifestSource> Sources { get; init; }

    /// <summary>Rows left out because an earlier one asks the same.</summary>
    public required IReadOnlyList<Duplicate> Duplicates { get; init; }

    /// <summary>The safety rows, in the order drawn: a smaller nested mixture holds a prefix of them.</summary>
    public required IReadOnlyList<string> SafetyIds { get; init; }

    /// <summary>All rows, in the order of the mixture.</summary>
    public required IReadOnlyList<string> RowIds { get; init; }

    private static readonly JsonSerializerOptions Format = new()
    {
        WriteIndented = true,
        NewLine = "\n",
        PropertyNamingPolicy = JsonNamingPolicy.SnakeCaseLower,
        Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping,
    };

    public string ToJson() => JsonSerializer.Serialize(this, Format) + "\n";

    /// <exception cref="SafeLlamaException">It cannot be written.</exception>
    public void Write(string path) => OutputFile.WriteText(path, ToJson());

    /// <summary>The manifest in a few lines.</summary>
    public IEnumerable<string> Lines()
    {
        yield return $"{Counted.Of(BaseCount, "base row")} and {Counted.Of(SafetyCount, "safety row")}: safety share "
            + $"{Percent.Of(SafetyShare, "0.00")}, seed {Seed}.";
        if (SafetyCount > 0)
        {
            yield return $"{Percent.Of(RefusalShare, "0.0")} of the safety answers open with a refusal (by string "
                + "match).";
        }

        if (Duplicates.Count > 0)
        {
            yield return $"{Counted.Of(Duplicates.Count, "row")} left out because an earlier row asks the same: "
                + string.Join(", ", Duplicates.Take(5).Select(pair => $"{pair.Id} = {pair.Of}"))
                + (Duplicates.Count > 5 ? ", …" : "");
        }

        foreach (var source in Sources)
        {
            yield return $"{source.Role}: {source.Path}, {source.Used} of {Counted.Of(source.Rows, "row")}, sha256 "
                + $"{source.Sha256[..Math.Min(12, source.Sha256.Length)]}…, license {source.License ?? "not given"}.";
        }
    }
}
