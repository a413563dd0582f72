using SafeLlama.Common;
using SafeLlama.Testing;

namespace SafeLlama.Evaluation.Tests;

[TestFixture]
public sealed class HumanLabelsTests
{
    private string _folder = "";

    [SetUp]
    public void SetUp() => _folder = TestFiles.NewFolder();

    [TearDown]
    public void TearDown() => Directory.Delete(_folder, recursive: true);

    private string Sheet => Path.Combine(_folder, "sheet.csv");

    private string Key => Path.Combine(_folder, "key.jsonl");

    private void Export() => HumanLabels.Export(
        [.. Enumerable.Range(0, 8).Select(i => Answers.To($"Prompt {i}", $"=Answer\r\n\"{i}\", yes", $"{i}"))], Sheet,
        Key, 1);

    [Test]
    public void A_sheet_is_blinded_shuffled_and_folded()
    {
        Export();
        var lines = File.ReadAllLines(Sheet);
        Assert.That(lines, Has.Length.EqualTo(9), "one line an answer");
        var order = lines.Skip(1).Select(l => l[l.IndexOf("Prompt ", StringComparison.Ordinal) + 7] - '0').ToArray();
        Assert.That(order, Is.EquivalentTo(Enumerable.Range(0, 8)));
        Assert.That(order, Is.Not.Ordered);
        Assert.That(lines.Skip(1), Has.None.Contains(",=Answer").And.None.Contains(",\"=Answer"), "no formula");
    }

    [Test]
    public void Two_annotators_are_compared_and_what_differs_is_adjudicated()
    {
        Export();
        var a = Labeled("a.csv", i => i < 5 ? "full_refusal" : "full_compliance");
        var b = Labeled("b.csv", i => i switch { < 4 => "full_refusal", 7 => "", _ => "full_compliance" });
        var result = HumanLabels.Import(Key, a, b);
        Assert.That((result.Compared, result.Disagreements.Count, result.Unlabelled), Is.EqualTo((7, 1, 1)));
        Assert.That(result.Agreement.Value, Is.EqualTo(6 / 7.0));
        Assert.That(result.Verdicts.Count(v => v.Unscored is not null), Is.EqualTo(2));

        var third = Path.Combine(_folder, "c.csv");
        File.WriteAllText(third, $"item,label\n{result.Disagreements[0]},partial_refusal\n");
        var final = HumanLabels.Import(Key, a, b, third);
        Assert.That(final.Verdicts.Count(v => v.Behavior == Behavior.PartialRefusal), Is.EqualTo(1));
        Assert.That(final.Verdicts.Count(v => v.Behavior == Behavior.FullRefusal), Is.EqualTo(4));
    }

    [TestCase("item,label\nitem-0099,full_refusal\n", "not in the key")]
    [TestCase("item,label\nitem-0001,refuses\n", "refuses")]
    [TestCase("item,label\nitem-0001,invalid\nitem-0001,invalid\n", "labeled twice")]
    [TestCase("number,label\n1,invalid\n", "item")]
    public void A_bad_sheet_is_refused_with_its_place(string sheet, string expected)
    {
        Export();
        var path = Path.Combine(_folder, "bad.csv");
        File.WriteAllText(path, sheet);
        Assert.That(() => HumanLabels.Import(Key, path, path), Throws.InstanceOf<SafeLlamaException>()
            .With.Message.Contains(expected).And.Message.Contains("bad.csv:"));
    }

    [Test]
    public void Three_annotators_are_compared_and_their_differences_listed()
    {
        Export();
        var a = Labeled("a.csv", i => i < 4 ? "full_refusal" : "full_compliance");
        var b = Labeled("b.csv", i => i < 5 ? "full_refusal" : "full_compliance");
        var c = Labeled("c.csv", i => i switch { 0 => "", 7 => "", < 4 => "full_refusal", _ => "full_compliance" });
        var result = HumanLabels.Import(Key, [a, b, c]);
        Assert.That((result.Compared, result.Unlabelled, result.Kappa.IsNone), Is.EqualTo((8, 0, true)));
        Assert.That(result.Differing.Single().Labels, Is.EqualTo(new Behavior?[]
        {
            Behavior.FullCompliance, Behavior.FullRefusal, Behavior.FullCompliance,
        }));
        Assert.That(result.Alpha.Value, Is.InRange(0.5, 0.99));
        Assert.That(result.Alpha.Low, Is.LessThan(result.Alpha.High));
        Assert.That(result.Verdicts.Count(v => v.Unscored is not null), Is.EqualTo(1));
        Assert.That(result.Verdicts.Select(v => v.Detail), Has.Member("2 of 3 annotators"));
    }

    [TestCase(';')]
    [TestCase('\t')]
    public void Sheets_of_other_spreadsheets_load(char separator)
    {
        Export();
        var a = Labeled("a.csv", _ => "full_refusal");
        var other = Path.Combine(_folder, separator == '\t' ? "b.tsv" : "b.csv");
        File.WriteAllText(other, "\ufeff" + File.ReadAllText(a).Replace(',', separator).ReplaceLineEndings("\r\n"));
        Assert.That(HumanLabels.Import(Key, a, other).Compared, Is.EqualTo(8));
    }

    [Test]
    public void One_file_is_not_two_annotators()
    {
        Export();
        var a = Labeled("a.csv", _ => "full_refusal");
        var link = Path.Combine(_folder, "link.csv");
        File.CreateSymbolicLink(link, a);
        foreach (var again in (string[])[a, Path.Combine(_folder, ".", "a.csv"), link])
        {
            Assert.That(
                () => HumanLabels.Import(Key, a, again),
                Throws.InstanceOf<SafeLlamaException>().With.Message.Contains("named as two annotators"));
        }
    }

    private string Labeled(string name, Func<int, string> label)
    {
        var path = Path.Combine(_folder, name);
        File.WriteAllText(path, "item,label,note\n" + string.Concat(
            Enumerable.Range(0, 8).Select(i => $"item-{i + 1:0000},{label(i)},\n")));
        return path;
    }
}
