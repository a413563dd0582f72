using SafeLlama.Common;
using SafeLlama.Kernels;
using SafeLlama.Model;

namespace SafeLlama.Training;

/// <summary>SafeLoRA at the end of a run: its two bases, what it did, and the file that says so.</summary>
public static class SafeLoraRun
{
    /// <summary>The file in a run's folder: what became of every update.</summary>
    public const string FileName = "safe_lora.json";

    /// <exception cref="SafeLlamaException">A base is of another shape, or the adapter is of a variant that has no
    /// product B A.</exception>
    public static void Check(SafeLoraSettings settings, LlamaConfig shape, LoraConfig? lora)
    {
        if (lora is null || lora.Variant == LoraVariant.Dora)
        {
            throw SafeLlamaException.Usage(
                "`Defense` safe-lora: projects a product B A; "
                + (lora is null ? "a model trained whole has none." : "DoRA divides it by the norms of W + s B A, "
                    + "which the projection would change. Take `Variant` lora or pissa."));
        }

        foreach (var folder in new[] { settings.Aligned, settings.Unaligned })
        {
            var its = LlamaConfig.Load(folder);
            if (!LlamaShapes.Of(its).Where(w => w.Role == WeightRole.Matrix && w.Name.Contains(".layers."))
                .Select(w => (w.Name, w.Shape.ToString())).SequenceEqual(LlamaShapes.Of(shape)
                    .Where(w => w.Role == WeightRole.Matrix && w.Name.Contains(".layers."))
                    .Select(w => (w.Name, w.Shape.ToString()))))
            {
                throw SafeLlamaException.Usage($"{folder}: has linears of other shapes than the model to train; "
                    + "SafeLoRA compares two models of its shape.");
            }
        }

        if (SameWeights(settings.Aligned, settings.Unaligned))
        {
            throw SafeLora.NothingToProject(settings);
        }
    }

    /// <summary>Whether two folders hold the same bytes; the first that differ end the comparison.</summary>
    private static bool SameWeights(string one, string other)
    {
        var (mine, its) = (Weights(one), Weights(other));
        return mine.Length > 0 && mine.Length == its.Length && mine.Zip(its).All(pair => SameBytes(pair.First, pair.Second));

        static string[] Weights(string path) => File.Exists(path) ? [path]
            : [.. Directory.EnumerateFiles(path, "*.safetensors").Order(StringComparer.Ordinal)];
    }

    private static bool SameBytes(string one, string other)
    {
        using var mine = FileErrors.Reading(one, () => File.OpenRead(one));
        using var its = FileErrors.Reading(other, () => File.OpenRead(other));
        if (mine.Length != its.Length)
        {
            return false;
        }

        const int Block = 1 << 16;
        var (left, right) = (new byte[Block], new byte[Block]);
        int read;
        do
        {
            read = FileErrors.Reading(one, () => mine.ReadAtLeast(left, Block, throwOnEndOfStream: false));
            FileErrors.Reading(other, () => its.ReadAtLeast(right, Block, throwOnEndOfStream: false));
            if (!left.AsSpan(0, read).SequenceEqual(right.AsSpan(0, read)))
            {
                return false;
            }
        }
        while (read == Block);

        return true;
    }

    /// <summary>Projects a trained adapter, writes what it did, and tells it in a line.</summary>
    public static string Project(IBackend backend, LoraAdapter adapter, SafeLoraSettings settings, string folder)
    {
        using var aligned = LlamaWeights.Load(backend, LlamaConfig.Load(settings.Aligned), settings.Aligned);
        using var unaligned = LlamaWeights.Load(backend, LlamaConfig.Load(settings.Unaligned), settings.Unaligned);
        return Project(adapter, settings, folder, module =>
        {
            var values = aligned[module + ".weight"].Value.ReadDoubles();
            var before = unaligned[module + ".weight"].Value.ReadDoubles();
            for (var i = 0; i < values.Length; i++)
            {
                values[i] -= before[i];
            }

            return values;
        });
    }

    /// <inheritdoc cref="Project(IBackend, LoraAdapter, SafeLoraSettings, string)"/>
    public static string Project(
        LoraAdapter adapter, SafeLoraSettings settings, string folder, Func<string, double[]> difference)
    {
        var done = SafeLora.Project(adapter, settings, difference);
        OutputFile.WriteJson(Path.Combine(folder, FileName), done);
        var cosines = done.Select(module => module.Cosine).OfType<double>().DefaultIfEmpty(double.NaN).ToList();
        return FormattableString.Invariant(
            $"SafeLoRA ({(settings.Exact ? "exact" : "published")}): {done.Count(m => m.Projected)} of {done.Count} ")
            + FormattableString.Invariant($"updates projected, cosines {cosines.Min():F3} to {cosines.Max():F3} ")
            + FormattableString.Invariant($"against the threshold {settings.Threshold}; ")
            + "losses were measured before the projection.";
    }
}
