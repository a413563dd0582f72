using System.Text.Json;
using SafeLlama.Testing;

namespace SafeLlama.Interop.Tests;

/// <summary>What libllama gave for a model, an adapter and a prompt.</summary>
internal sealed record Expected(JsonElement Case)
{
    public static string Folder { get; } = Path.Combine(TestFiles.Root, "tests", "fixtures", "interop");

    public string Model => Case.GetProperty("model").GetString()!;

    public string? Adapter => Text("adapter");

    public string? Prompt => Text("prompt");

    public float Scale => Case.TryGetProperty("scale", out var scale) ? scale.GetSingle() : 1;

    public int[] Ids => Ints("ids");

    public int[] Greedy => Ints("greedy");

    public double[] Doubles(string name) => [.. Case.GetProperty(name).EnumerateArray().Select(v => v.GetDouble())];

    public static IEnumerable<Expected> All() =>
        JsonDocument.Parse(File.ReadAllText(Path.Combine(Folder, "expected.json"))).RootElement
            .GetProperty("cases").EnumerateArray().Select(c => new Expected(c));

    /// <summary>The place of a model or adapter that the page names, relative to its own folder.</summary>
    public static string PathOf(string name) => name switch
    {
        _ when name.StartsWith("reference/", StringComparison.Ordinal) =>
            Path.Combine(TestFiles.Reference, name["reference/".Length..]),
        _ when name.StartsWith("assets/", StringComparison.Ordinal) =>
            Path.Combine(TestFiles.Root, name.Split(' ')[0]),
        _ => TestFiles.Interop(name),
    };

    public override string ToString() => $"{Model} {Adapter} {(Adapter is null ? "" : Scale)} {Prompt}";

    private string? Text(string name) => Case.TryGetProperty(name, out var text) ? text.GetString() : null;

    private int[] Ints(string name) => [.. Case.GetProperty(name).EnumerateArray().Select(v => v.GetInt32())];
}
