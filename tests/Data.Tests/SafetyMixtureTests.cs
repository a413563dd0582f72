using System.Text.Json;
using SafeLlama.Common;
using SafeLlama.Testing;

namespace SafeLlama.Data.Tests;

public sealed class SafetyMixtureTests
{
    private static readonly IReadOnlyList<TrainingExample> Base = Rows("base", 40);
    private static readonly IReadOnlyList<TrainingExample> Safety = Rows("safe", 20);

    [Test]
    public void A_larger_mixture_holds_the_smaller_one()
    {
        var small = SafetyMixture.Build(Base, Safety, 5, seed: 3);
        var large = SafetyMixture.Build(Base, Safety, 12, seed: 3);

        Assert.That(large.Manifest.SafetyIds.Take(5), Is.EqualTo(small.Manifest.SafetyIds));
        Assert.That(small.Examples, Has.Count.EqualTo(45));
        Assert.That(small.Examples.Count(row => small.IsSafety(row.Id)), Is.EqualTo(5));
        Assert.That(small.Manifest.SafetyShare, Is.EqualTo(5 / 45.0));
        Assert.That(
            SafetyMixture.Build(Base, Safety, 5, seed: 4).Manifest.SafetyIds, Is.Not.EqualTo(small.Manifest.SafetyIds));
        Assert.That(SafetyMixture.Build(Base, Safety, 5, seed: 3).Manifest.RowIds, Is.EqualTo(small.Manifest.RowIds));
    }

    [Test]
    public void Draws_may_also_be_independent()
    {
        MixtureSource[] sources = [Source(Base)], safety = [Source(Safety)];
        var small = SafetyMixture.Build(sources, safety, new() { SafetyCount = 5, Nested = false });
        var large = SafetyMixture.Build(sources, safety, new() { SafetyCount = 12, Nested = false });

        Assert.That(large.Manifest.SafetyIds.Take(5), Is.Not.EqualTo(small.Manifest.SafetyIds));

        static MixtureSource Source(IReadOnlyList<TrainingExample> rows) =>
            new(new ExampleFile(
                "rows", RowFormat.JsonLines, "", rows.Count, rows, [], new Dictionary<string, int>(), []));
    }

    [TestCase(20000, 100, 0.50)]
    [TestCase(20000, 300, 1.48)]
    [TestCase(20000, 500, 2.44)]
    [TestCase(20000, 1000, 4.76)]
    [TestCase(20000, 1500, 6.98)]
    [TestCase(20000, 2000, 9.09)]
    public void A_share_gives_the_count_the_authors_used(int baseCount, int safetyCount, double percent)
    {
        var share = (double)safetyCount / (baseCount + safetyCount);

        Assert.That(100 * share, Is.EqualTo(percent).Within(0.005));
        Assert.That(new MixtureOptions { SafetyShare = share }.SafetyCountFor(baseCount, 3000),
            Is.EqualTo(safetyCount));
    }

    [Test]
    public void Rows_that_ask_the_same_are_left_out_and_named()
    {
        TrainingExample[] safety = [Row("s1", "Do it now!"), Row("s2", "do it NOW"), Row("s3", "base 7")];

        var mixture = SafetyMixture.Build(Base, safety, 1, seed: 1);

        Assert.That(mixture.Manifest.SafetyIds, Is.EqualTo(new[] { "s1" }));
        Assert.That(
            mixture.Manifest.Duplicates.Select(pair => (pair.Id, pair.Of)),
            Is.EqualTo(new[] { ("s2", "s1"), ("s3", "base-7") }));
    }

    [Test]
    public void Real_files_mix_into_a_file_with_its_manifest()
    {
        var baseFile = ExampleFile.Read(TestFiles.Data("alpaca-format/alpaca_en_demo.json"));
        var safetyFile = ExampleFile.Read(TestFiles.Data("safety-tuned-llamas/safety_only_data_Instructions.json"));
        var path = Path.Combine(TestFiles.NewFolder(), "mix.jsonl");

        var mixture = SafetyMixture.Build(
            [new(baseFile, "Apache-2.0")], [new(safetyFile, "CC BY-NC 4.0")], new() { SafetyCount = 100, Seed = 42 });
        var manifestPath = mixture.Write(path);

        var read = ExampleFile.Read(path);
        Assert.That(read.Examples.Select(row => row.Id), Is.EqualTo(mixture.Manifest.RowIds));
        Assert.That(read.Examples.Select(row => row.Answer), Is.EqualTo(mixture.Examples.Select(row => row.Answer)));
        using var manifest = JsonDocument.Parse(File.ReadAllText(manifestPath));
        Assert.That(manifest.RootElement.GetProperty("safety_count").GetInt32(), Is.EqualTo(100));
        Assert.That(
            manifest.RootElement.GetProperty("sources")[1].GetProperty("sha256").GetString(),
            Is.EqualTo(safetyFile.Sha256));
        Assert.That(
            mixture.Manifest.Duplicates.Count(pair => pair.Id.StartsWith("safety", StringComparison.Ordinal)),
            Is.EqualTo(4));
        Assert.That(() => mixture.Write(path), Throws.TypeOf<SafeLlamaException>(), "nothing is overwritten");
    }

    [Test]
    [Category("Fault")]
    public void More_rows_than_there_are_is_an_error_that_counts_them() =>
        Assert.That(
            () => SafetyMixture.Build(Base, Safety, 21, seed: 1),
            Throws.TypeOf<SafeLlamaException>().With.Message.Contains(
                "21 safety rows are wanted, but there are 20 distinct"));

    [Test]
    [Category("Fault")]
    public void Two_rows_of_one_name_are_refused() =>
        Assert.That(
            () => SafetyMixture.Build([.. Base, Base[0]], Safety, 1, seed: 1),
            Throws.TypeOf<SafeLlamaException>().With.Message.Contains("\"base-0\" already names"));

    [Test]
    public void Without_a_count_or_a_share_all_safety_rows_are_mixed_in() =>
        Assert.That(new MixtureOptions().SafetyCountFor(10, 5), Is.EqualTo(5));

    [Test]
    [Category("Fault")]
    public void A_count_and_a_share_at_once_are_refused() =>
        Assert.That(
            () => new MixtureOptions { SafetyCount = 1, SafetyShare = 0.1 }.SafetyCountFor(10, 5),
            Throws.TypeOf<SafeLlamaException>());

    private static TrainingExample[] Rows(string name, int count) =>
        [.. Enumerable.Range(0, count).Select(i => Row($"{name}-{i}", $"{name} {i}"))];

    private static TrainingExample Row(string id, string text) => new InstructionExample(text, "", "yes") { Id = id };
}
