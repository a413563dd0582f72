using System.Text.Json.Nodes;
using SafeLlama.Testing;

namespace SafeLlama.Study.Tests;

/// <summary>The first world is what it was before there was a wider one: the shipped base has read it.</summary>
public sealed class FirstWorldTests
{
    /// <summary>Hashes of every file that the first world was exported as before, of seed 1.</summary>
    private static readonly JsonObject Before = JsonNode.Parse(
        File.ReadAllText(Path.Combine(TestFiles.Root, "tests", "fixtures", "study", "first-world.json")))!.AsObject();

    [Test]
    public void Every_text_row_and_prompt_is_the_same_to_the_last_byte()
    {
        var folder = Path.Combine(TestFiles.NewFolder(), "world");
        WorldExport.Write(new World(), 1, folder);
        Assert.That(Before, Has.Count.EqualTo(30));
        foreach (var (file, hash) in Before)
        {
            Assert.That(
                Common.ContentHash.OfFile(Path.Combine(folder, file)), Is.EqualTo(hash!.GetValue<string>()), file);
        }
    }

    [Test]
    public void Its_dials_hash_as_they_did_before_there_were_others() => Assert.That(
        new WorldSource(new StudyData()).Describe()["dials"],
        Is.EqualTo(Common.ContentHash.OfText(
            "WorldDials { Seed = 1234, PretrainingTokens = 2250000, SafeScaryTexts = 0.04, ProtectiveTexts = 0.03, "
            + "SafePairCoverage = 0.5, BenignExamples = 3000, SafeScaryExamples = 0.01, "
            + "SafetyDemonstrations = 1000 }")));
}
