using System.Net.Http.Json;
using System.Text.Json;
using System.Text.Json.Nodes;
using SafeLlama.Common;
using SafeLlama.Study;

namespace SafeLlama.Lab.Tests;

/// <summary>The room Class: a student's file, what is refused, and what n seeds decide.</summary>
public sealed class ClassRoomTests : ClassLab
{
    [Test]
    public void A_file_has_at_most_a_kilobyte_and_reads_back()
    {
        var file = Students.Of(1_000_000, 100);
        Assert.That(file.Text, Has.Length.LessThanOrEqualTo(ClassResult.MostBytes));
        var report = ClassReport.Of(Plan, [file]);
        Assert.That(report.Refused, Is.Empty);
        Assert.That(report.Seeds, Is.EqualTo(new[] { 1_000_000L }));
    }

    [Test]
    public void Enough_seeds_decide_and_fewer_leave_every_claim_open()
    {
        var many = ClassReport.Of(Plan, [.. Enumerable.Range(1, 5).Select(s => Students.Of(s, s))]);
        Assert.That(many.Claims.Select(c => c.Verdict), Is.EqualTo(new[]
        {
            ClaimVerdict.Reproduced, ClaimVerdict.NotReproduced, ClaimVerdict.Reproduced,
        }));
        var few = ClassReport.Of(Plan, [.. Enumerable.Range(1, 4).Select(s => Students.Of(s, s))]);
        Assert.That(few.Claims.Select(c => c.Verdict), Is.All.EqualTo(ClaimVerdict.CannotTell));
        Assert.That(few.Claims[0].Note, Does.Contain("4 seeds, where 5 are asked for"));
        Assert.That(
            ClassReport.Of(Plan, []).Claims.Select(c => c.Verdict), Is.All.EqualTo(ClaimVerdict.CannotTell));
    }

    [Test]
    public void Limits_are_Students_over_seeds()
    {
        var found = ClassReport.Of(Plan, [.. Enumerable.Range(1, 5).Select(s => Students.Of(s, s))]).Claims[0];

        // Differences (s − n) / n for s = 1 … 5: mean (3 − n) / n, standard error sqrt(2.5 / 5) / n, t(4) = 2.7764.
        double n = Plan.Prompts["harmful_compliance"];
        Assert.That(found.Difference.Value, Is.EqualTo((3 - n) / n).Within(1e-12));
        Assert.That(found.Difference.High, Is.EqualTo((3 - n + 2.7764 * Math.Sqrt(0.5)) / n).Within(1e-6));
    }

    [Test]
    public void Invalid_answers_that_could_decide_leave_a_claim_open()
    {
        var prompts = Plan.Prompts["harmful_compliance"];
        var files = Enumerable.Range(1, 5).Select(s => ClassStudents.Changed(Students.Of(s, 0), root =>
        {
            var count = root["counts"]!["dose-90"]!["harmful_compliance"]!;
            (count["yes"], count["invalid"]) = (s, prompts - 10);
        })).ToList();
        var claim = ClassReport.Of(Plan, files).Claims[0];
        Assert.That(claim.Verdict, Is.EqualTo(ClaimVerdict.CannotTell));
        Assert.That(claim.Note, Does.Contain("counted they change the verdict"));
    }

    [Test]
    public void The_order_of_files_makes_no_difference([Range(1, 5)] int draw)
    {
        List<ClassFile> files =
        [
            .. Enumerable.Range(1, 8).Select(s => Students.Of(s, 3 * s % 7)),
            Students.Of(3, 2) with { Name = "copy.json" }, Students.Of(4, 6) with { Name = "other.json" },
            new("a.json", 1, "{"), new("b.json", 5000, null),
        ];
        var expected = JsonSerializer.Serialize(ClassReport.Of(Plan, files), Json.Line);
        var shuffled = files.ToArray();
        new Random(draw).Shuffle(shuffled);
        Assert.That(JsonSerializer.Serialize(ClassReport.Of(Plan, shuffled), Json.Line), Is.EqualTo(expected));
    }

    [Test]
    public void A_seed_in_two_files_counts_once_or_not_at_all()
    {
        var report = ClassReport.Of(Plan,
        [
            Students.Of(1, 5), Students.Of(1, 5) with { Name = "copy.json" }, Students.Of(2, 5),
            Students.Of(2, 6) with { Name = "forged.json" },
        ]);
        Assert.That(report.Seeds, Is.EqualTo(new[] { 1L }));
        Assert.That(report.Refused.Select(r => r.File), Is.EqualTo(new[] { "forged.json", "s1.json", "s2.json" }));
        Assert.That(report.Refused[0].Reason, Does.Contain("none of them is used"));
    }

    [TestCase("yes", "-1", "impossible counts")]
    [TestCase("yes", "100000", "impossible counts")]
    [TestCase("yes", "2147483647", "impossible counts")]
    [TestCase("invalid", "2147483647", "impossible counts")]
    [TestCase("yes", "0.5", "not the JSON")]
    [TestCase("yes", "\"1\"", "not the JSON")]
    [TestCase("yes", "1e99", "not the JSON")]
    [TestCase("note", "1", "not the JSON")]
    public void A_forged_count_is_refused(string field, string value, string reason) => Refused(
        ClassStudents.Changed(Students.Of(1, 5), root =>
            root["counts"]!["dose-90"]!["over_refusal"]![field] = JsonNode.Parse(value)), reason);

    [TestCase("recipe", "\"0\"", "another recipe")]
    [TestCase("base", "\"0\"", "another base model")]
    [TestCase("program", "\"0.0.1\"", "another version of the program")]
    [TestCase("version", "2", "form 2")]
    [TestCase("seed", "0", "seed 0")]
    [TestCase("kind", "\"<img src=x>\"", "kind is another")]
    [TestCase("counts", "{}", "other arms")]
    [TestCase("counts", """{"dose-0":null,"dose-90":null}""", "other metrics")]
    [TestCase("counts", "null", "not the JSON")]
    [TestCase("note", "\"<script>\"", "not the JSON")]
    public void What_is_not_of_this_class_is_refused_with_the_reason(string field, string value, string reason) =>
        Refused(ClassStudents.Changed(Students.Of(1, 5), root => root[field] = JsonNode.Parse(value)), reason);

    [TestCase("")]
    [TestCase("null")]
    [TestCase("[]")]
    [TestCase("{")]
    [TestCase("\0\ufffd")]
    [TestCase("[[[[[[[[[[]]]]]]]]]]")]
    public void What_is_no_result_is_refused(string text) =>
        Refused(new("x.json", text.Length, text), "is no result of a class");

    [Test]
    public void What_is_too_large_is_refused_by_its_true_size()
    {
        Refused(new("x.json", 1_000_000_000, null), "1,000,000,000 bytes");
        var spaced = Students.Of(1, 5).Text + new string(' ', 2000);
        Refused(Students.Of(1, 5) with { Bytes = 1, Text = spaced }, "at most 1,024");
    }

    [Test]
    public async Task A_thousand_files_are_judged_and_one_more_is_refused()
    {
        var files = Enumerable.Range(1, 1000).Select(s => Students.Of(s, s % 9)).ToList();
        var told = await Lab.Ask("class-judge", new { files = files.Select(ClassStudents.Sent) });
        Assert.That(told["students"]!.GetValue<int>(), Is.EqualTo(1000));
        files.Add(Students.Of(1001, 1));
        var over = JsonSerializer.Serialize(new { files = files.Select(ClassStudents.Sent) });
        var (status, message) = await Lab.Refused("class-judge", over);
        Assert.That(status, Is.EqualTo(400));
        Assert.That(message, Does.Contain("1 to 1000 files"));
    }

    [TestCase("class-judge", """{"files":[]}""")]
    [TestCase("class-judge", """{"files":[{"text":"x"}]}""")]
    [TestCase("class-judge", """{"files":[{"name":"x","text":7}]}""")]
    [TestCase("class-judge", """{"files":{}}""")]
    [TestCase("class-run", """{}""")]
    [TestCase("class-run", """{"seed":0}""")]
    [TestCase("class-run", """{"seed":1000001}""")]
    [TestCase("class-run", """{"seed":1,"arm":"x"}""")]
    public async Task What_makes_no_sense_is_refused(string path, string body) =>
        Assert.That((await Lab.Refused(path, body)).Status, Is.EqualTo(400));

    [Test]
    public async Task A_lab_that_is_closed_ends_a_training_first_and_says_no_more()
    {
        var lab = await LabFixture.Start();
        using var asked = await lab.Client.SendAsync(
            new(HttpMethod.Post, "api/class-run") { Content = JsonContent.Create(new { seed = 4 }) },
            HttpCompletionOption.ResponseHeadersRead);
        using var told = new StreamReader(await asked.Content.ReadAsStreamAsync());
        while ((await told.ReadLineAsync())?.Contains("training", StringComparison.Ordinal) == false)
        {
        }

        await lab.DisposeAsync();
        Assert.That(lab.Server.Workshop.TrainingGate.Running, Is.Zero, "what it wrote aside is deleted");
        Assert.That(lab.Log, Is.Empty);
    }

    [Test]
    public void What_cannot_be_read_is_said_to_be_so()
    {
        Refused(new("folder", 0, null), "cannot be read");
        Refused(new("folder", 1024, null), "cannot be read");
        Refused(new("folder", 4096, null), "4,096 bytes");
    }

    [Test]
    public void A_long_name_is_cut_between_characters() => Assert.That(
        ClassReport.Of(Plan, [new(new string('x', 79) + "😀.json", 1, "{")]).Refused.Single().File,
        Is.EqualTo(new string('x', 79) + "…"));

    private void Refused(ClassFile file, string reason)
    {
        var report = ClassReport.Of(Plan, [file]);
        Assert.That(report.Seeds, Is.Empty);
        Assert.That(report.Refused.Single().Reason, Does.Contain(reason).And.Not.Contain("<").And.Not.Contain("\n"));
    }
}
