using System.Text.Json;
using SafeLlama.Kernels;
using SafeLlama.Model;

namespace SafeLlama.Testing;

/// <summary>A difference from the reference stack, or an expectation that no test reads.</summary>
public sealed class ParityException(string message) : Exception(message);

/// <summary>One case of numbers from the Hugging Face stack: a manifest and its tensors.</summary>
/// <remarks>
/// Every name that is read is remembered, and <see cref="MustBeReadWhole"/> fails for any that was not: an expectation
/// can be neither overlooked nor added without a test that knows it.
/// </remarks>
public sealed class ReferenceCase : IDisposable
{
    /// <summary>Fields of every manifest that describe it and expect nothing.</summary>
    private static readonly string[] Descriptive =
    [
        "format_version", "name", "kind", "computed_by", "model", "adapter", "notes", "tensors", "tensors_file",
        "tolerance",
        "observed_fp32_vs_fp64", "observed",
    ];

    private readonly string _folder;
    private readonly JsonElement _manifest;
    private readonly SafetensorsFile _tensors;
    private readonly HashSet<string> _read = [.. Descriptive];
    private readonly SortedDictionary<string, (double Seen, double Tolerated)> _seen = [];
    private readonly Lazy<string> _model;

    private ReferenceCase(string folder, string name, Rounding rounding)
    {
        (_folder, Name, Rounding) = (folder, name, rounding);
        var path = Path.Combine(folder, "cases", name + ".json");
        _manifest = JsonDocument.Parse(File.ReadAllText(path)).RootElement;
        _tensors = SafetensorsFile.Open(Path.Combine(Path.GetDirectoryName(path)!, Text("tensors_file")));
        _model = new(() => Rounding == Rounding.ActivationsAndWeights
            ? BrainTolerance.Narrowed(FolderOf("model")) : FolderOf("model"));
    }

    /// <summary>Model and case: <c>A-mha/forward</c>.</summary>
    public string Name { get; }

    /// <summary>What is rounded to bf16, where the numbers are of fp32.</summary>
    public Rounding Rounding { get; }

    /// <summary>Whether anything is.</summary>
    public bool IsRounded => Rounding != Rounding.Nothing;

    /// <summary>The names of all cases of a kind.</summary>
    public static IEnumerable<string> Names(string kind) => NamesIn(TestFiles.Reference, kind);

    public static IEnumerable<string> NamesIn(string folder, string kind)
    {
        var index = JsonDocument.Parse(File.ReadAllText(Path.Combine(folder, "index.json"))).RootElement;

        // Kinds that came later stand in a list of their own.
        foreach (var entry in ((string[])["cases", "more"]).SelectMany(
            list => index.TryGetProperty(list, out var cases) ? cases.EnumerateArray() : default)
            .Where(c => c.GetProperty("kind").GetString() == kind))
        {
            yield return entry.GetProperty("manifest").GetString()!["cases/".Length..^".json".Length];
        }
    }

    /// <summary>The kinds that the index lists.</summary>
    public static IEnumerable<string> Kinds() =>
        [.. JsonDocument.Parse(File.ReadAllText(Path.Combine(TestFiles.Reference, "index.json"))).RootElement
            .GetProperty("cases").EnumerateArray().Select(c => c.GetProperty("kind").GetString()!).Distinct()];

    public static ReferenceCase Open(string name, Rounding rounding = Rounding.Nothing) =>
        new(TestFiles.Reference, name, rounding);

    /// <summary>A case in a copy of the fixtures, such as a spoiled one.</summary>
    public static ReferenceCase OpenIn(string folder, string name, Rounding rounding = Rounding.Nothing) =>
        new(folder, name, rounding);

    /// <summary>The checkpoint, with its weights rounded where the case is computed so.</summary>
    public string ModelFolder => _model.Value;

    /// <summary>The folder that a manifest field names, relative to the fixtures.</summary>
    public string FolderOf(string field) => Path.Combine(_folder, Text(field));

    public bool Has(string field) => _manifest.TryGetProperty(field, out _);

    /// <summary>Reads a manifest field.</summary>
    public JsonElement Field(string name)
    {
        _read.Add(name);
        return _manifest.GetProperty(name);
    }

    public string Text(string name) => Field(name).GetString()!;

    public double Number(string name) => Field(name).GetDouble();

    /// <summary>What the manifest tolerates, or bf16 where that is more.</summary>
    public double Tolerance(string name)
    {
        var tolerance = _manifest.GetProperty("tolerance").GetProperty(name).GetDouble();
        return !IsRounded ? tolerance : name switch
        {
            "logits_atol" or "merged_logits_atol" or "token_nll_atol" => BrainTolerance.Forward * LargestLogit,
            "loss_atol" or "step_loss_atol" => BrainTolerance.Mean * LargestLogit,
            "logits_rtol" => 0,
            "grad_max_abs_over_tensor_absmax" or "grad_norm_rtol" => BrainTolerance.Backward,
            "merged_weight_atol" or "lr_atol" => tolerance,
            _ => throw new ParityException($"{Name}: nobody knows what bf16 does to {name}."),
        };
    }

    /// <summary>Whether the manifest tolerates something by this name.</summary>
    public bool Tolerates(string name) => _manifest.GetProperty("tolerance").TryGetProperty(name, out _);

    /// <summary>A tensor of bytes.</summary>
    public double[] Bytes(string tensor) => [.. _tensors.Bytes(Entry(tensor)).ToArray().Select(b => (double)b)];

    /// <summary>The largest logit of the case; of a training run, which has none, what such models' are.</summary>
    private double LargestLogit =>
        TensorNames().FirstOrDefault(name => name is "logits" or "step_logits_first3") is { } logits
            ? Doubles(logits).Max(Math.Abs) : 10;

    /// <summary>Fields that only describe this kind of case, each known to its test.</summary>
    public void Skip(params ReadOnlySpan<string> fields)
    {
        foreach (var field in fields)
        {
            _read.Add(field);
        }
    }

    /// <summary>Tensors whose name begins so.</summary>
    public IEnumerable<string> TensorNames(string prefix = "") =>
        _tensors.Entries.Keys.Where(n => n.StartsWith(prefix, StringComparison.Ordinal)).Order(StringComparer.Ordinal);

    /// <summary>What the manifest says of a tensor, such as a tolerance of its own.</summary>
    public JsonElement About(string tensor) => _manifest.GetProperty("tensors").GetProperty(tensor);

    public Shape ShapeOf(string tensor) => _tensors.Entries[tensor].Shape;

    public double[] Doubles(string tensor)
    {
        var entry = Entry(tensor);
        var values = new double[entry.Shape.Count];
        if (entry.Type == "I8")
        {
            return Array.ConvertAll(Bytes(tensor), b => (double)(sbyte)(byte)b);
        }

        TensorConvert.ToDoubles(_tensors.Bytes(entry), _tensors.NumberType(entry), values);
        return values;
    }

    public int[] Ints(string tensor) => Array.ConvertAll(Doubles(tensor), x => (int)x);

    /// <summary>Compares a scalar of the manifest.</summary>
    public void Compare(string name, double actual, double tolerance) => Compare(name, actual, Number(name), tolerance);

    /// <exception cref="ParityException">The difference is larger than the tolerance, or not a number.</exception>
    public void Compare(string what, double actual, double expected, double tolerance)
    {
        var kind = what.Split('[', ' ', '.')[0];
        var seen = Math.Abs(actual - expected);
        var share = _seen.TryGetValue(kind, out var worst) ? worst.Seen / worst.Tolerated : -1;
        if (tolerance > 0 && seen / tolerance > share)
        {
            _seen[kind] = (seen, tolerance);
        }

        if (!(seen <= tolerance))
        {
            throw new ParityException($"{Name}: {what} is {actual:R}, expected {expected:R} within {tolerance:G3}.");
        }
    }

    /// <summary>Compares element by element: |a − e| ≤ atol + rtol · |e|.</summary>
    public void Compare(
        string what, ReadOnlySpan<double> actual, ReadOnlySpan<double> expected, double atol, double rtol = 0)
    {
        Compare(what + " (count)", actual.Length, expected.Length, 0);
        for (var i = 0; i < actual.Length; i++)
        {
            Compare($"{what}[{i}]", actual[i], expected[i], atol + (rtol * Math.Abs(expected[i])));
        }
    }

    /// <summary>Compares a tensor relative to its own largest element: max |a − e| ≤ tolerance · max |e|.</summary>
    public void CompareToLargest(string tensor, ReadOnlySpan<double> actual, double tolerance)
    {
        var expected = Doubles(tensor);
        Compare(tensor, actual, expected, tolerance * expected.Max(Math.Abs));
    }

    /// <summary>Compares a merged weight, which is stored as the base is.</summary>
    public void CompareMerged(string tensor, ReadOnlySpan<double> actual)
    {
        if (Rounding == Rounding.ActivationsAndWeights)
        {
            CompareToLargest(tensor, actual, BrainTolerance.Weight);
        }
        else
        {
            Compare(tensor, actual, Doubles(tensor), Tolerance("merged_weight_atol"));
        }
    }

    /// <exception cref="ParityException">A field or tensor was read by no one.</exception>
    public void MustBeReadWhole()
    {
        var unread = _manifest.EnumerateObject().Select(p => p.Name)
            .Concat(_manifest.GetProperty("tensors").EnumerateObject().Select(p => p.Name))
            .Where(name => !_read.Contains(name)).ToList();
        if (unread.Count > 0)
        {
            throw new ParityException($"{Name}: no test reads {string.Join(", ", unread)}.");
        }

        if (IsRounded)
        {
            TestContext.Out.WriteLine(string.Join(
                "\n", _seen.Select(s => $"{Name}, {s.Key}: off by {s.Value.Seen:G2} of {s.Value.Tolerated:G2}")));
        }
    }

    public void Dispose() => _tensors.Dispose();

    private SafetensorsEntry Entry(string tensor)
    {
        _read.Add(tensor);
        return _tensors.Entries[tensor];
    }
}
