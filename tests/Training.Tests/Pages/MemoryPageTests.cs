using System.Globalization;
using System.Text;
using System.Text.RegularExpressions;
using SafeLlama.Kernels;
using SafeLlama.Model;
using SafeLlama.Testing;

namespace SafeLlama.Training.Tests.Pages;

/// <summary>Makes the tables of <c>docs/memory.md</c> from the plan of memory, and compares them with the
/// page.</summary>
/// <remarks>
/// With <c>SAFELLAMA_WRITE_PAGES=1</c> the page is written anew. That a plan holds what a run really takes is measured
/// by <c>MemoryTests</c> of the program, on the first of these models.
/// </remarks>
public sealed partial class MemoryPageTests
{
    private static readonly (string Name, LlamaConfig Config)[] Models =
    [
        ("1.1 B (TinyLlama's shape)", Config(2048, 22, (32, 4), 5632)),
        ("7 B (LLaMA's shape)", Config(4096, 32, (32, 32), 11008)),
    ];

    private static readonly (string Name, DType Type, LoadForm Form)[] Forms =
    [
        ("fp32", DType.Float32, LoadForm.Stored),
        ("bf16", DType.BFloat16, LoadForm.Stored),
        ("int8", DType.BFloat16, new(LoadAs.Int8)),
        ("int8-weights", DType.BFloat16, new(LoadAs.Int8Weights)),
        ("nf4", DType.BFloat16, new(LoadAs.Nf4)),
    ];

    /// <summary>GiB by which scratch differs between widths of vectors.</summary>
    private const double Vectors = 0.021;

    [Test]
    public void The_page_shows_the_plans()
    {
        var path = Path.Combine(TestFiles.Root, "docs", "memory.md");
        var made = Page();
        if (Environment.GetEnvironmentVariable("SAFELLAMA_WRITE_PAGES") == "1")
        {
            File.WriteAllText(path, made);
        }

        var page = File.ReadAllText(path);
        Assert.That(Number().Replace(page, "0.00"), Is.EqualTo(Number().Replace(made, "0.00")));
        Assert.That(Numbers(page), Is.EqualTo(Numbers(made)).Within(Vectors));
    }

    [Test]
    public void Four_bits_take_a_third_of_sixteen()
    {
        foreach (var (_, config) in Models)
        {
            var (bf16, nf4) = (Frozen(config, Forms[1]), Frozen(config, Forms[4]));
            Assert.That(nf4, Is.LessThan(bf16 * 0.4).And.GreaterThan(bf16 * 0.28));
        }
    }

    private static string Page()
    {
        var page = new StringBuilder();
        page.Append("""
            # Memory of a LoRA step

            Made by `MemoryPageTests` from the plan that every run makes before its first step, `train --dry-run` among them:
            adapters of rank 8 on q and v, one row of the given length at a time, one thread, in GiB. Embeddings and head stay
            in the checkpoint's type, bf16 here beside int8 and NF4. A plan is an upper bound: scratch is counted as if all ops
            needed their most at once, and 0.13 GiB stand for the program. The figures are of AVX-512; scratch for narrower
            vectors moves some of them by 0.01.

            `Recompute block` keeps each block's input and computes the rest again in backward, for about a third more work.


            """.Replace("\r", "", StringComparison.Ordinal));
        foreach (var (name, config) in Models)
        {
            page.Append(CultureInfo.InvariantCulture, $"## {name}\n\n");
            page.Append("| linears | frozen weights | 512 tokens | 512, recompute | 2,048 tokens | 2,048, recompute |\n");
            page.Append("|---|---:|---:|---:|---:|---:|\n");
            foreach (var form in Forms)
            {
                var cells = new[] { 512, 2048 }.SelectMany(length => new[] { Recompute.Nothing, Recompute.Block }
                    .Select(recompute => Gibibytes(Total(config, form, length, recompute))));
                page.Append(
                    CultureInfo.InvariantCulture,
                    $"| {form.Name} | {Gibibytes(Frozen(config, form))} | {string.Join(" | ", cells)} |\n");
            }

            page.Append('\n');
        }

        page.Append("""
            What was measured beside the plan, with the commands:
            [quantized bases](../benchmarks/results/epyc-zen5-2core/quantized.md). What the forms are:
            [12. Quantized bases](12-quantized-bases.md).

            """.Replace("\r", "", StringComparison.Ordinal));
        return page.ToString();
    }

    private static long Frozen(LlamaConfig config, (string Name, DType Type, LoadForm Form) form) =>
        form.Form.BytesOf(config, form.Type);

    private static long Total(
        LlamaConfig config, (string Name, DType Type, LoadForm Form) form, int length, Recompute recompute)
    {
        using var backend = new CpuBackend(1);
        var training = new TrainingConfig { Lora = new LoraConfig(), Recompute = recompute };
        return TrainingMemory.Of(
            backend, config, training, length, length, Frozen(config, form), form.Form).Total;
    }

    private static double[] Numbers(string page) =>
        [.. Number().Matches(page).Select(n => double.Parse(n.Value, CultureInfo.InvariantCulture))];

    [GeneratedRegex(@"\b[0-9]+\.[0-9]{2}\b")]
    private static partial Regex Number();

    private static string Gibibytes(long bytes) =>
        (bytes / (double)(1L << 30)).ToString("F2", CultureInfo.InvariantCulture);

    private static LlamaConfig Config(int hidden, int layers, (int Query, int KeyValue) heads, int intermediate) => new()
    {
        VocabularySize = 32000,
        HiddenSize = hidden,
        IntermediateSize = intermediate,
        Layers = layers,
        Heads = heads.Query,
        KeyValueHeads = heads.KeyValue,
        HeadDim = hidden / heads.Query,
    };
}
