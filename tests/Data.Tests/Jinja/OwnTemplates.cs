namespace SafeLlama.Data.Tests;

/// <summary>Chat templates in Jinja as models bring them: those of Llama 2, Llama 3 and Zephyr word for word.</summary>
internal static class OwnTemplates
{
    public const string ChatMl =
        "{% for message in messages %}{{ '<|im_start|>' + message['role'] + '\n' + message['content'] + '<|im_end|>' "
        + "+ '\n' }}{% endfor %}{% if add_generation_prompt %}{{ '<|im_start|>assistant\n' }}{% endif %}";

    public const string Llama2 =
        "{% if messages[0]['role'] == 'system' %}{% set loop_messages = messages[1:] %}"
        + "{% set system_message = messages[0]['content'] %}{% else %}{% set loop_messages = messages %}"
        + "{% set system_message = false %}{% endif %}{% for message in loop_messages %}"
        + "{% if (message['role'] == 'user') != (loop.index0 % 2 == 0) %}{{ raise_exception('Conversation roles must "
        + "alternate user/assistant/user/assistant/...') }}{% endif %}"
        + "{% if loop.index0 == 0 and system_message != false %}{% set content = '<<SYS>>\n' + system_message "
        + "+ '\n<</SYS>>\n\n' + message['content'] %}{% else %}{% set content = message['content'] %}{% endif %}"
        + "{% if message['role'] == 'user' %}{{ bos_token + '[INST] ' + content.strip() + ' [/INST]' }}"
        + "{% elif message['role'] == 'assistant' %}{{ ' '  + content.strip() + ' ' + eos_token }}{% endif %}"
        + "{% endfor %}";

    public const string Llama3 =
        "{% set loop_messages = messages %}{% for message in loop_messages %}"
        + "{% set content = '<|start_header_id|>' + message['role'] + '<|end_header_id|>\n\n'+ message['content'] "
        + "| trim + '<|eot_id|>' %}{% if loop.index0 == 0 %}{% set content = bos_token + content %}{% endif %}"
        + "{{ content }}{% endfor %}{% if add_generation_prompt %}"
        + "{{ '<|start_header_id|>assistant<|end_header_id|>\n\n' }}{% endif %}";

    public const string Mistral =
        "{% if messages[0]['role'] == 'system' %}{% set system_message = messages[0]['content'] + '\n\n' %}"
        + "{% set loop_messages = messages[1:] %}{% else %}{% set system_message = '' %}"
        + "{% set loop_messages = messages %}{% endif %}{{ bos_token }}{% for message in loop_messages %}"
        + "{% if message['role'] == 'user' %}{{ '[INST] ' }}{% if loop.first %}{{ system_message }}{% endif %}"
        + "{{ message['content'] + ' [/INST]' }}{% elif message['role'] == 'assistant' %}"
        + "{{ ' ' + message['content'] + eos_token }}{% endif %}{% endfor %}";

    public const string Vicuna =
        "{{ bos_token }}{% if messages[0]['role'] == 'system' %}{{ messages[0]['content'] + ' ' }}"
        + "{% set loop_messages = messages[1:] %}{% else %}{{ 'A chat between a curious user and an artificial "
        + "intelligence assistant. The assistant gives helpful, detailed, and polite answers to the user\\'s "
        + "questions. ' }}{% set loop_messages = messages %}{% endif %}{% for message in loop_messages %}"
        + "{% if message['role'] == 'user' %}{{ 'USER: ' + message['content'] + ' ASSISTANT:' }}"
        + "{% elif message['role'] == 'assistant' %}{{ ' ' + message['content'] + eos_token }}{% endif %}{% endfor %}";

    public const string Zephyr =
        "{% for message in messages %}\n{% if message['role'] == 'user' %}\n"
        + "{{ '<|user|>\n' + message['content'] + eos_token }}\n{% elif message['role'] == 'system' %}\n"
        + "{{ '<|system|>\n' + message['content'] + eos_token }}\n{% elif message['role'] == 'assistant' %}\n"
        + "{{ '<|assistant|>\n'  + message['content'] + eos_token }}\n{% endif %}\n"
        + "{% if loop.last and add_generation_prompt %}\n{{ '<|assistant|>' }}\n{% endif %}\n{% endfor %}";
}
