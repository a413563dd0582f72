using System.CommandLine;
using SafeLlama.Cli.Options;
using SafeLlama.Common;

namespace SafeLlama.Cli.Commands;

/// <summary><c>completion</c>: a script by which a shell asks this program how a word may end.</summary>
/// <remarks>Each script runs <c>safellama "[suggest:POSITION]" "COMMAND LINE"</c>, which System.CommandLine
/// answers.</remarks>
internal static class CompletionCommand
{
    private const string Bash = """
        # eval "$(safellama completion bash)", or keep this in /etc/bash_completion.d/safellama
        _safellama() {
            local IFS=$'\n'
            COMPREPLY=($(compgen -W "$(safellama "[suggest:${COMP_POINT}]" "${COMP_LINE}" 2>/dev/null)" \
                -- "${COMP_WORDS[COMP_CWORD]}"))
        }
        complete -o default -F _safellama safellama
        """;

    private const string Zsh = """
        #compdef safellama
        # source <(safellama completion zsh), after compinit
        _safellama() {
            local -a words_found
            words_found=("${(@f)$(safellama "[suggest:${CURSOR}]" "${BUFFER}" 2>/dev/null)}")
            compadd -a words_found || _files
        }
        compdef _safellama safellama
        """;

    private const string Fish = """
        # safellama completion fish > ~/.config/fish/completions/safellama.fish
        complete -c safellama -a '(safellama "[suggest:"(commandline -C)"]" (commandline -p) 2>/dev/null)'
        """;

    private const string PowerShell = """
        # safellama completion pwsh | Out-String | Invoke-Expression
        Register-ArgumentCompleter -Native -CommandName safellama -ScriptBlock {
            param($word, $line, $cursor)
            safellama "[suggest:$cursor]" "$line" 2>$null | ForEach-Object {
                [System.Management.Automation.CompletionResult]::new($_, $_, 'ParameterValue', $_)
            }
        }
        """;

    public static Command Create() => new CompletionOptions().Verb(
        "completion", "Print a script by which a shell completes this program's verbs, options and choices.", asked =>
        {
            Terminal.Print(asked.Shell switch
            {
                CompletionOptions.CompletingShell.Bash => Bash,
                CompletionOptions.CompletingShell.Zsh => Zsh,
                CompletionOptions.CompletingShell.Fish => Fish,
                _ => PowerShell,
            });
            return ExitCode.Success;
        });
}
